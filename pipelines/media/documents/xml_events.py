"""XML read as a stream of events, so that neither its size nor its depth builds a tree in memory."""

from collections.abc import Mapping
from typing import Final, Protocol, runtime_checkable
from xml.etree import ElementTree

from pipelines.media.read import NotRead

_HEAD_BYTES: Final = 65_536


class Enough(Exception):
    """Raised by a handler that needs no more events."""


class Starts(Protocol):
    """Takes the beginnings of elements; names come without their namespace, for Strict files use another one."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None: ...


@runtime_checkable
class Handler(Starts, Protocol):
    """Takes texts and ends of elements as well."""

    def data(self, text: str) -> None: ...
    def end(self, name: str) -> None: ...


class Budget:
    """How many elements of one file may be looked at; a million takes one to two seconds."""

    def __init__(self, elements: int = 1_000_000) -> None:
        self._left = elements

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise NotRead("refused-limits", "The file has more elements than are read of one file.")


def walk(data: bytes, handler: Starts, budget: Budget) -> bool:
    """Send the events of an XML document to `handler`; return whether its end was reached.

    It is fed at once: expat starts a token anew with every piece, which takes quadratic time for a long one (CVE-2023-52425).

    Raises: `NotRead` for a DOCTYPE, `ElementTree.ParseError`.
    """
    parser = ElementTree.XMLParser(target=_All(handler, budget) if isinstance(handler, Handler) else _Starts(handler, budget))
    try:
        parser.feed(data)
        parser.close()
    except Enough:
        return False
    return True


def root_of(data: bytes) -> tuple[str, str]:
    """Return namespace and name of the first element.

    Raises: as `walk`.
    """
    for head in (data[:_HEAD_BYTES], data):
        parser = ElementTree.XMLParser(target=(root := _Root()))
        try:
            parser.feed(head)
        except Enough:
            namespace, _, name = root.tag.rpartition("}")
            return namespace.removeprefix("{"), name
    raise ElementTree.ParseError("no element")


def attribute(attributes: Mapping[str, str], name: str) -> str:
    """Return the first attribute of that name in whatever namespace, empty where there is none."""
    if name in attributes:
        return attributes[name]
    return next((value for key, value in attributes.items() if key.endswith("}" + name)), "")


class _Root:
    tag = ""

    def start(self, tag: str, _: Mapping[str, str]) -> None:
        self.tag = self.tag or tag
        raise Enough

    def doctype(self, *_: object) -> None:
        _refuse_doctype()


class _Starts:
    def __init__(self, handler: Starts, budget: Budget) -> None:
        self._start = handler.start
        self._spend = budget.spend

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._spend()
        self._start(tag.rpartition("}")[2], attributes)

    def doctype(self, *_: object) -> None:
        _refuse_doctype()

    def close(self) -> None:
        """Part of the protocol of targets."""


class _All(_Starts):
    def __init__(self, handler: Handler, budget: Budget) -> None:
        super().__init__(handler, budget)
        self._end = handler.end
        self.data = handler.data

    def end(self, tag: str) -> None:
        self._end(tag.rpartition("}")[2])


def _refuse_doctype() -> None:
    raise NotRead("refused-format", "The file defines entities of its own (DOCTYPE), which is not read.")
