"""Plain text, tables in CSV, source code, XML, calendars and notebooks to parts."""

from pipelines.media.documents import calendars, notebooks
from pipelines.media.documents.decoding import READ_BYTES, decoded
from pipelines.media.documents.markup import e_invoice
from pipelines.media.documents.passages import Passages
from pipelines.media.read import Asked, Read


def read(data: bytes, asked: Asked) -> Read:
    """Read a text as whoever opens it sees it.

    Raises: `NotRead` when it is none.
    """
    if cells := notebooks.cells_of(data):
        return notebooks.read(cells)
    passages = Passages()
    text = decoded(data)
    if len(data) > READ_BYTES:
        passages.cut()
    if calendars.is_calendar(text):
        return calendars.read(text, passages)
    passages.add("/text", text)
    return Read(parts=tuple(passages.parts), gaps=passages.gaps, facts=e_invoice(data), coverage=passages.coverage)
