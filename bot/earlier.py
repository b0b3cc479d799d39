"""What authors wrote in the last seconds, so that a message cut into several is judged as one. In memory alone."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from handlers.events import MessagePosted, Tenant
from pipelines.content import ImagePart, Intake, Part, TextPart

WITHIN_S: Final = 30.0
MESSAGES: Final = 5  # of one author in one channel
TEXT_CHARS: Final = 500
PICTURES: Final = 3  # of one message
AUTHORS: Final = 2_000
BYTES: Final = 32 * 1024 * 1024  # of all that is kept

Key = tuple[Tenant, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    message: str
    at: float
    parts: tuple[Part, ...]
    size_bytes: int


class EarlierMessages:
    """The last messages of each author in each channel: `handlers.ports.channels.Earlier`.

    Short texts and whole pictures only. Over any bound the authors that were silent longest are forgotten first.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._noted: OrderedDict[Key, tuple[_Noted, ...]] = OrderedDict()
        self._bytes = 0

    def before(self, event: MessagePosted) -> tuple[Part, ...]:
        """Return the parts of what the author of `event` wrote in this channel shortly before it, the oldest first."""
        now = self._monotonic()
        others = [each for each in self._noted.get(_key(event), ()) if each.message != event.message]
        recent = [each for each in others if now - each.at <= WITHIN_S]
        return tuple(
            replace(part, id=f"earlier:{position}/{part.id}", note=f"sent by the same author {round(now - each.at)} s before")
            for position, each in enumerate(recent)
            for part in each.parts
        )

    def note(self, event: MessagePosted, intake: Intake) -> None:
        """Remember the parts of a message for those that follow it. An edited message takes the place of what it was."""
        key, now = _key(event), self._monotonic()
        parts = tuple(_short(intake))
        old = self._noted.pop(key, ())
        kept = [each for each in old if each.message != event.message and now - each.at <= WITHIN_S]
        if parts:
            kept.append(_Noted(message=event.message, at=now, parts=parts, size_bytes=sum(map(_size, parts))))
        self._bytes -= _total(old)
        if kept := kept[-MESSAGES:]:
            self._noted[key] = tuple(kept)
            self._bytes += _total(kept)
        self._forget(now)

    def forget(self, event: MessagePosted) -> None:
        """Forget a message about which something is done."""
        key = _key(event)
        old = self._noted.get(key, ())
        if kept := tuple(each for each in old if each.message != event.message):
            self._noted[key] = kept
        else:
            self._noted.pop(key, None)
        self._bytes += _total(kept) - _total(old)

    def _forget(self, now: float) -> None:
        while self._noted:
            key, oldest = next(iter(self._noted.items()))
            is_over = self._bytes > BYTES or len(self._noted) > AUTHORS
            if not is_over and now - oldest[-1].at <= WITHIN_S:
                return
            del self._noted[key]
            self._bytes -= _total(oldest)


def _key(event: MessagePosted) -> Key:
    return event.place.tenant, event.author.id, event.place.channel


def _short(intake: Intake) -> Iterator[Part]:
    pictures = 0
    for part in intake.parts:
        if isinstance(part, TextPart) and len(part.text) <= TEXT_CHARS:
            yield part
        elif isinstance(part, ImagePart) and "/tile:" not in part.id and pictures < PICTURES:
            pictures += 1
            yield part


def _size(part: Part) -> int:
    return len(part.text.encode("utf-8", "surrogatepass")) if isinstance(part, TextPart) else len(part.data)


def _total(noted: Iterable[_Noted]) -> int:
    return sum(each.size_bytes for each in noted)
