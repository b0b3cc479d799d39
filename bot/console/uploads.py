"""Forms with files: multipart bodies within limits, straight to the file store."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

import structlog
from aiohttp import BodyPartReader, web

from bot.console.files import URL_PREFIX, FileStore, Incoming
from pipelines.content import Attachment
from pipelines.limits import ATTACHMENTS_JUDGED, FILE_BYTES

CHUNK_BYTES: Final = 65_536
FIELDS_BYTES: Final = 65_536  # of all text fields together
FIELDS: Final = 50
BODY_BYTES: Final = ATTACHMENTS_JUDGED * FILE_BYTES + 2 * FIELDS_BYTES  # what the parts' own headers need fits in the rest
RECEIVE_S: Final = 30.0
NAME_MAX: Final = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A form that came in. The files lie in the store; their names and types are the sender's claims."""

    fields: dict[str, str]
    files: tuple[Attachment, ...]


@dataclass(slots=True)
class _Arriving:
    fields: dict[str, str] = field(default_factory=dict)
    fields_bytes: int = 0
    files: list[tuple[BodyPartReader, Incoming]] = field(default_factory=list)


async def receive(request: web.Request, store: FileStore) -> Submission:
    """Read a multipart form and keep its files.

    Raises: `HTTPException` with words for the person: 413 over a limit, 408 when it takes longer than 30 s, 400 when it is no
    form, 507 when the disk is full. Nothing is kept then.
    """
    if (request.content_length or 0) > BODY_BYTES:
        raise _too_large(f"Send at most {ATTACHMENTS_JUDGED} files of {FILE_BYTES // 1_048_576} MB each.", BODY_BYTES)
    if request.content_type != "multipart/form-data":
        raise web.HTTPUnsupportedMediaType(text="Send this as a form.")
    async with AsyncExitStack() as stack:
        arriving = _Arriving()
        try:
            async with asyncio.timeout(RECEIVE_S):
                await _read(request, arriving, store, stack)
            return await _keep(arriving)
        except TimeoutError as error:
            raise web.HTTPRequestTimeout(text="The upload took too long. Try again on a faster connection.") from error
        except OSError as error:
            log.warning("upload.not_kept", error=type(error).__name__, errno=error.errno)
            raise web.HTTPInsufficientStorage(text="The server could not store the file. Ask its operator to look.") from error
        except ValueError as error:
            raise web.HTTPBadRequest(text="This form cannot be read. Reload the page and try again.") from error


async def _read(request: web.Request, arriving: _Arriving, store: FileStore, stack: AsyncExitStack) -> None:
    parts = await request.multipart()
    while (part := await parts.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError
        if part.filename is None:
            await _read_field(part, arriving)
        else:
            await _read_file(part, arriving, store, stack)


async def _read_field(part: BodyPartReader, arriving: _Arriving) -> None:
    text = bytearray()
    while chunk := await part.read_chunk(CHUNK_BYTES):
        text += chunk
        arriving.fields_bytes += len(chunk)
        if arriving.fields_bytes > FIELDS_BYTES:
            raise _too_large("The text is too long. Send a shorter one.", FIELDS_BYTES)
    assert part.name is not None
    arriving.fields[part.name] = text.decode(errors="replace")
    if len(arriving.fields) > FIELDS:
        raise _too_large("The form has too many fields.", FIELDS)


async def _read_file(part: BodyPartReader, arriving: _Arriving, store: FileStore, stack: AsyncExitStack) -> None:
    if len(arriving.files) >= ATTACHMENTS_JUDGED:
        raise _too_large(f"Send at most {ATTACHMENTS_JUDGED} files at once.", ATTACHMENTS_JUDGED)
    file = await stack.enter_async_context(store.incoming())
    while chunk := await part.read_chunk(CHUNK_BYTES):
        if file.size_bytes + len(chunk) > FILE_BYTES:
            raise _too_large(f"A file may be at most {FILE_BYTES // 1_048_576} MB.", FILE_BYTES)
        await file.write(chunk)
    arriving.files.append((part, file))


async def _keep(arriving: _Arriving) -> Submission:
    files = []
    for part, file in arriving.files:
        if not part.filename and not file.size_bytes:  # a file field that was left empty
            continue
        url = URL_PREFIX + await file.keep()
        media_type = part.headers.get("Content-Type", "application/octet-stream")
        files.append(
            Attachment(
                id=uuid.uuid4().hex,
                url=url,
                name=_plain_name(part.filename or ""),
                media_type=_plain(media_type.partition(";")[0].strip().lower()) or "application/octet-stream",
                size_bytes=file.size_bytes,
            )
        )
    return Submission(fields=arriving.fields, files=tuple(files))


def _plain_name(name: str) -> str:
    """Return a file name without folders and without what cannot be seen; a long one keeps its ending."""
    path = PurePosixPath(_plain(name).replace("\\", "/"))
    stem, ending = path.stem, path.suffix[:20]
    plain = (stem[: NAME_MAX - len(ending)] + ending).strip()
    return plain if plain.strip(".") else "file"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _too_large(words: str, limit: int) -> web.HTTPException:
    return web.HTTPRequestEntityTooLarge(max_size=limit, text=words)
