"""The way through one message's files and what lies inside them, within what is looked at of one message."""

import asyncio
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from pipelines import limits
from pipelines.content import AudioPart, Gap, Hashes, ImagePart, Intake, Part, Reading, TextPart
from pipelines.errors import Unavailable
from pipelines.media import answers
from pipelines.media.answers import Found, Inside
from pipelines.media.kinds import HOLDERS, LONG, Kind, kind_of
from pipelines.media.read import NAME_CHARS
from pipelines.media.sandbox import LONG as LONG_ALLOWANCE
from pipelines.media.sandbox import Held, Sandbox

_BEYOND: Final[dict[type[Part], str]] = {
    ImagePart: "There are more pictures than are looked at.",
    AudioPart: "There are more sounds than are listened to.",
    TextPart: "There is more text than is read.",
}
_MEGABYTE: Final = 1024 * 1024
_NOT_NOW: Final = "The file cannot be read now."


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """The bytes at a place, with what their sender says of them; `depth` counts the files around them."""

    place: str
    data: bytes = field(repr=False)
    name: str = ""
    media_type: str = ""
    depth: int = 0


class Walk:
    """One message's reading; make one for each."""

    def __init__(self, sandbox: Sandbox, *, fine: bool, attachments: int) -> None:
        self._sandbox = sandbox
        self._fine = fine
        self._turns = asyncio.Semaphore(limits.JOBS_AT_ONCE)
        self._ends_s = asyncio.get_running_loop().time() + limits.MEMBERS_S
        self._files_left = limits.FILES_JUDGED - attachments
        self._bytes_left = limits.UNPACKED_BYTES
        self._left: dict[type[Part], int] = {
            ImagePart: limits.PICTURES_JUDGED,
            AudioPart: limits.ATTACHMENTS_JUDGED,
            TextPart: limits.ATTACHMENTS_JUDGED * limits.TEXT_JUDGED_CHARS,
        }

    async def through(self, file: File) -> Intake:
        """Read an attachment and everything inside it. The caller holds room for its own bytes.

        Raises: `Unavailable` when no worker can be started.
        """
        kind = kind_of(file.data)
        if kind and len(file.data) > kind.limit_bytes:
            return _too_large(file.place, kind)
        if kind is None or kind.family not in HOLDERS:
            return await self._read(file, kind, room=None)
        async with self._sandbox.unpacking.hold(limits.UNPACKED_BYTES) as room:
            return await self._read(file, kind, room=room)

    async def _read(self, file: File, kind: Kind | None, *, room: Held | None) -> Intake:
        async with self._turns:
            found = await self._job(file, kind)
        # Files inside that hold files themselves are unpacked within the room that this one was given.
        if room and not any(_holds_files(member.data) for member in found.members):
            room.settle(sum(len(member.data) for member in found.members))
        seen = {each.hashes.sha256 for each in found.intake.readings if each.hashes}
        return _with_twins(joined([found.intake, *await self._inside(file, found, seen)]))

    async def _job(self, file: File, kind: Kind | None) -> Found:
        answer = await self._sandbox.run(
            "read",
            file.data,
            allowance=LONG_ALLOWANCE if kind and kind.family in LONG else None,
            fine=self._fine,
            name=file.name[: NAME_CHARS + 1],
            media_type=file.media_type[:NAME_CHARS],
        )
        found = answers.found(file.place, kind, answer)
        return dataclasses.replace(found, intake=self._trimmed(file.place, found.intake))

    async def _inside(self, file: File, found: Found, seen: set[str]) -> list[Intake]:
        """Read the files inside one. `seen` are the digests of what was read of this attachment, which grows."""
        if found.members and file.depth == limits.FILES_DEPTH:
            return [_partial(file.place, "Files that lie this deep inside others are not looked at.")]
        whys = dict[str, None]()
        jobs = list[asyncio.Task[Intake]]()
        async with asyncio.TaskGroup() as reading:
            for at, member in enumerate(found.members):
                if why := self._no_more(member):
                    whys[why] = None
                    continue
                inner = File(place=f"{file.place}/member:{at}", data=member.data, name=member.name, depth=file.depth + 1)
                if member.sha256 in seen:
                    jobs.append(reading.create_task(_twin(inner, member.sha256)))
                    continue
                seen.add(member.sha256)
                jobs.append(reading.create_task(self._member(inner, seen)))
        return [*(job.result() for job in jobs), *(_partial(file.place, why) for why in whys)]

    async def _member(self, file: File, seen: set[str]) -> Intake:
        name, kind = file_name(file.place, file.name), kind_of(file.data)
        if kind and len(file.data) > kind.limit_bytes:
            return joined([name, _too_large(file.place, kind)])
        try:
            async with self._turns:
                if asyncio.get_running_loop().time() > self._ends_s:
                    return joined([name, _partial(file.place, "The files take too long to read; not all are looked at.")])
                found = await self._job(file, kind)
        except Unavailable as error:
            return joined([name, unavailable(file.place, error)])
        return joined([name, found.intake, *await self._inside(file, found, seen)])

    def _no_more(self, member: Inside) -> str:
        """Take a file's share of what is read of one message; return why there is none left."""
        if self._files_left <= 0:
            return f"The message holds more than {limits.FILES_JUDGED} files; the others are not looked at."
        if len(member.data) > self._bytes_left:
            return f"The files unpack to more than {limits.UNPACKED_BYTES // _MEGABYTE} MB; not all are looked at."
        self._files_left -= 1
        self._bytes_left -= len(member.data)
        return ""

    def _trimmed(self, place: str, intake: Intake) -> Intake:
        """Leave out the parts beyond what is judged of one message."""
        kept, whys = list[Part](), dict[str, None]()
        for part in intake.parts:
            what = type(part)
            weight = len(part.text) if isinstance(part, TextPart) else 1
            if weight <= self._left[what]:
                self._left[what] -= weight
                kept.append(part)
            else:
                whys[_BEYOND[what]] = None
        gaps = tuple(Gap(place=place, kind="partial", why=why) for why in whys)
        return dataclasses.replace(intake, parts=tuple(kept), gaps=(*intake.gaps, *gaps))


def file_name(place: str, name: str) -> Intake:
    """Return a file's name as a part: names are read by people too."""
    if not name.strip():
        return Intake()
    part = TextPart(id=f"{place}/name", text=name[:NAME_CHARS], role="file_name")
    if len(name) <= NAME_CHARS:
        return Intake(parts=(part,))
    gap = Gap(place=part.id, kind="partial", why="The file's name is too long to be looked at in full.")
    return Intake(parts=(part,), gaps=(gap,))


def not_read(place: str, status: Literal["unreadable", "refused"], why: str, *, media_type: str = "") -> Intake:
    """Return the intake of a file that no worker has seen."""
    reading = Reading(place=place, media_type=media_type, status=status, reason=why)
    return Intake(gaps=(Gap(place=place, kind=status, why=why),), readings=(reading,))


def unavailable(place: str, error: Unavailable) -> Intake:
    return not_read(place, "unreadable", f"{_NOT_NOW} {error}")


def may_be_read_later(reading: Reading) -> bool:
    """Whether a file was not read since its host, or the reader, did not answer: nothing is known about the file then."""
    return reading.status == "unreadable" and reading.reason.startswith(_NOT_NOW)


def joined(intakes: Iterable[Intake]) -> Intake:
    """Return all of several intakes, in order."""
    every = tuple(intakes)
    return Intake(
        parts=tuple(part for each in every for part in each.parts),
        gaps=tuple(gap for each in every for gap in each.gaps),
        facts=tuple(fact for each in every for fact in each.facts),
        readings=tuple(reading for each in every for reading in each.readings),
    )


def _partial(place: str, why: str) -> Intake:
    return Intake(gaps=(Gap(place=place, kind="partial", why=why),))


def _too_large(place: str, kind: Kind) -> Intake:
    why = f"The file is larger than {kind.limit_bytes // _MEGABYTE} MB."
    return not_read(place, "refused", why, media_type=kind.media_types[0])


def _holds_files(data: bytes) -> bool:
    kind = kind_of(data)
    return kind is not None and kind.family in HOLDERS


_TWIN: Final = "the same as another file"


async def _twin(file: File, sha256: str) -> Intake:
    reading = Reading(place=file.place, media_type="", status="ok", coverage=_TWIN, hashes=Hashes(sha256=sha256))
    return joined([file_name(file.place, file.name), Intake(readings=(reading,))])


def _with_twins(intake: Intake) -> Intake:
    """Say of every file that was left out as a twin what reading the other one came to."""
    read = {each.hashes.sha256: each for each in intake.readings if each.hashes and each.coverage != _TWIN}
    readings = (
        dataclasses.replace(read.get(each.hashes.sha256, each), place=each.place, coverage=_TWIN, elapsed_ms=0)
        if each.hashes and each.coverage == _TWIN
        else each
        for each in intake.readings
    )
    return dataclasses.replace(intake, readings=tuple(readings))
