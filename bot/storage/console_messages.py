"""What stands in the console's channels: messages, their files, threads. As a platform of its own it keeps them itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.storage.database import Records, put
from bot.storage.sign_ins import CONSOLE
from bot.storage.tables import ConsoleFileRow, ConsoleMessageRow, ConsolePersonRow
from handlers.answers import Answer
from handlers.events import Person, Role
from pipelines.content import UNTYPED, Attachment

ANSWER: Final[TypeAdapter[Answer]] = TypeAdapter(Answer)

# States in which a message has a place in its channel: as itself, or as the note that it was taken out, or deleted.
STANDING: Final = ("shown", "removed", "erased", "deleted")
# What was taken back is never seen again: not at all, or as the note that a thread hangs on.
TAKEN_BACK: Final = ("taken_back", "deleted")
# Before its name, where the bytes of a file are: `console:SHA256`.
URL_PREFIX: Final = "console:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person sends. `id` was made in the browser; `text` is the argument where it is the line of a `command`."""

    id: str
    channel: str
    thread: str | None
    person: str
    text: str
    command: str | None
    only_for: str | None
    files: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OurFile:
    """A file that goes with our words. `position` counts from 0: one that could not be made leaves a gap."""

    file: Attachment
    position: int
    alt_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message of a channel as it stands now. `author` is None where it is ours, and then it holds an `answer`.

    `state` is as in `ConsoleMessageRow`. `alt_texts` say what our pictures show, and `positions` which of its effect's files
    each is, both by the files' ids. `reactions` are the emojis below it.
    """

    seq: int
    id: str
    channel: str
    thread: str | None
    author: Person | None
    text: str
    command: str | None
    answer: Answer | None
    only_for: str | None
    state: str
    edit_effect: str | None
    at: datetime
    files: tuple[Attachment, ...] = ()
    alt_texts: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)
    reactions: tuple[str, ...] = ()

    def visible_to(self, person: str) -> bool:
        """Whether it stands in its channel for `person`, be it only as the note that it was taken out."""
        return self.state in STANDING and self.only_for in (None, person)

    def was(self, draft: Draft) -> bool:
        """Whether it is what `draft` says, so that sending that again adds nothing."""
        if self.author is None or self.author.id != draft.person:
            return False
        same_words = (self.channel, self.thread, self.text, self.command) == (
            draft.channel,
            draft.thread,
            draft.text,
            draft.command,
        )
        same_files = [file.url for file in self.files] == [file.url for file in draft.files]
        return self.state == "erased" or (same_words and same_files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """What hangs on a message: how many replies, and when the last one came."""

    count: int
    last_at: datetime


class ConsoleMessages:
    """Messages of all workspaces. Every write may be repeated and changes nothing then."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def keep(self, workspace: str, draft: Draft) -> StoredMessage | None:
        """Store what a person sent, as `arriving`: nobody sees it before `show`.

        Return what stands under its id, which may be something else that was there before; None where that belongs to another
        workspace.
        """
        values = {
            "workspace": workspace,
            "id": draft.id,
            "channel": draft.channel,
            "thread": draft.thread,
            "person": draft.person,
            "text": draft.text,
            "command": draft.command,
            "only_for": draft.only_for,
            "state": "arriving",
        }
        files = _file_rows(workspace, draft.id, [OurFile(file=each, position=at) for at, each in enumerate(draft.files)])

        def keep(connection: sa.Connection) -> StoredMessage | None:
            if put(connection, ConsoleMessageRow, values, on=["id"]) and files:
                connection.execute(sa.insert(ConsoleFileRow), files)
            return _first(connection, workspace, ConsoleMessageRow.id == draft.id)

        return await self._records.write(keep)

    async def arrives(self, workspace: str, id: str) -> None:
        """Note that what was put aside is being sent again."""
        await self._set(workspace, id, ("unsent",), state="arriving")

    async def show(self, workspace: str, id: str) -> StoredMessage | None:
        """Let the channel see what was kept and accepted. Return None when there is nothing to show any more, or already."""
        return await self._set(workspace, id, ("arriving",), state="shown")

    async def put_aside(self, workspace: str, id: str) -> None:
        """Put what could not be accepted aside until its author sends it again."""
        await self._set(workspace, id, ("arriving",), state="unsent")

    async def arriving(self, workspace: str) -> list[StoredMessage]:
        """Return what a crash left between being stored and being shown, oldest first."""
        return await self._all(workspace, ConsoleMessageRow.state == "arriving")

    async def forget_unsent(self, workspace: str, *, before: datetime) -> None:
        """Delete what nobody has sent again since `before`."""
        unsent = sa.select(ConsoleMessageRow.id).where(
            ConsoleMessageRow.workspace == workspace, ConsoleMessageRow.state == "unsent", ConsoleMessageRow.at < before
        )

        def forget(connection: sa.Connection) -> None:
            ids = connection.scalars(unsent).all()
            connection.execute(sa.delete(ConsoleFileRow).where(*_files_of(workspace, ids)))
            connection.execute(
                sa.delete(ConsoleMessageRow).where(ConsoleMessageRow.workspace == workspace, ConsoleMessageRow.id.in_(ids))
            )

        await self._records.write(forget)

    async def say(
        self,
        workspace: str,
        *,
        id: str,
        channel: str,
        thread: str | None,
        answer: Answer,
        only_for: str | None,
        effect: str,
        about: str | None = None,
        files: Sequence[OurFile] = (),
    ) -> StoredMessage:
        """Store a message of ours with its files, once for each `effect`. Return what stands for it.

        `about`: the message of which it repeats something. It leaves the channel and comes back together with that one.
        """
        values = {
            "workspace": workspace,
            "id": id,
            "channel": channel,
            "thread": thread,
            "answer": _as_json(answer),
            "about": about,
            "only_for": only_for,
            "effect": effect,
        }
        # Locked, so that it cannot be taken out between this look and what we say.
        told_of = sa.select(ConsoleMessageRow.state).where(*_is(workspace, about or "")).with_for_update()
        rows = _file_rows(workspace, id, files)
        root = sa.select(ConsoleMessageRow.state).where(*_is(workspace, thread or "")).with_for_update()
        with_note = sa.update(ConsoleMessageRow).where(*_is(workspace, thread or "")).values(state="deleted")

        def say(connection: sa.Connection) -> StoredMessage:
            along = _along_with(connection.scalar(told_of))
            if connection.scalar(root) == "taken_back":  # while it had no answers; now a thread hangs on it
                connection.execute(with_note)
            if put(connection, ConsoleMessageRow, values | along, on=["effect"]) and rows and along["state"] != "erased":
                connection.execute(sa.insert(ConsoleFileRow), rows)
            (said,) = _all(connection, workspace, ConsoleMessageRow.effect == effect)
            return said

        return await self._records.write(say)

    async def change(
        self, workspace: str, id: str, *, answer: Answer, effect: str, files: Sequence[OurFile] | None = None
    ) -> StoredMessage | None:
        """Let a message of ours say something else, with other `files`; without any, its own stay.

        Return it as it stands then, or None when there is no such message.
        """
        ours = (*_is(workspace, id), ConsoleMessageRow.state == "shown", ConsoleMessageRow.person.is_(None))
        update = sa.update(ConsoleMessageRow).where(*ours).values(answer=_as_json(answer), edit_effect=effect)
        if files is not None:  # once: those of a second attempt may be fewer
            update = update.where(ConsoleMessageRow.edit_effect.is_distinct_from(effect))
        rows = _file_rows(workspace, id, files or ())

        def change(connection: sa.Connection) -> StoredMessage | None:
            changed = connection.scalar(update.returning(ConsoleMessageRow.id)) is not None
            if changed and files is not None:
                connection.execute(sa.delete(ConsoleFileRow).where(*_files_of(workspace, [id])))
                if rows:
                    connection.execute(sa.insert(ConsoleFileRow), rows)
            return _first(connection, workspace, *ours)

        return await self._records.write(change)

    async def take_back(self, workspace: str, id: str, *, effect: str) -> StoredMessage | None:
        """Delete what a message of ours says. Where a thread hangs on it, a note stays. Return None where nothing is left.

        Its files' rows stay until `drop_files`.
        """
        ours = (*_is(workspace, id), ConsoleMessageRow.state.in_(("shown", "removed")), ConsoleMessageRow.person.is_(None))
        values = {"state": "taken_back", "answer": None, "reactions": "", "edit_effect": effect}
        update = sa.update(ConsoleMessageRow).where(*ours).values(**values).returning(ConsoleMessageRow.id)
        answers = sa.exists().where(
            ConsoleMessageRow.workspace == workspace, ConsoleMessageRow.thread == id, ConsoleMessageRow.state.in_(STANDING)
        )
        with_note = sa.update(ConsoleMessageRow).where(*_is(workspace, id)).values(state="deleted")

        def take_back(connection: sa.Connection) -> StoredMessage | None:
            if connection.scalar(update) is None:
                return None
            if connection.scalar(sa.select(answers)):
                connection.execute(with_note)
            return _first(connection, workspace, ConsoleMessageRow.id == id)

        return await self._records.write(take_back)

    async def drop_files(self, workspace: str, id: str) -> None:
        """Forget which files a message, and what we said about it, had. Their bytes are the caller's to delete, before."""
        files = sa.delete(ConsoleFileRow).where(*_files_about(workspace, id))
        await self._records.write(lambda connection: connection.execute(files))

    async def react(self, workspace: str, id: str, emoji: str) -> StoredMessage | None:
        """Put an emoji below a message, once. Return None when the message is not there any more."""
        standing = sa.select(ConsoleMessageRow.reactions).where(*_is(workspace, id), ConsoleMessageRow.state == "shown")

        def react(connection: sa.Connection) -> StoredMessage | None:
            there = connection.scalar(standing.with_for_update())
            if there is None:
                return None
            if emoji not in there.split():
                update = sa.update(ConsoleMessageRow).where(*_is(workspace, id))
                connection.execute(update.values(reactions=f"{there} {emoji}".strip()))
            return _first(connection, workspace, ConsoleMessageRow.id == id)

        return await self._records.write(react)

    async def take_out(self, workspace: str, id: str, *, effect: str) -> StoredMessage | None:
        """Take a person's message out of its channel, with all it holds. Return None when it is not there any more."""
        theirs = ConsoleMessageRow.person.is_not(None)
        return await self._set(workspace, id, ("arriving", "unsent", "shown"), theirs, state="removed", edit_effect=effect)

    async def bring_back(self, workspace: str, id: str, *, effect: str) -> StoredMessage | None:
        """Put a message back that was taken out. Return None when nothing was kept of it."""
        return await self._set(workspace, id, ("removed",), state="shown", edit_effect=effect)

    async def hashes_of_it_alone(self, workspace: str, id: str) -> list[str]:
        """Return the hashes of the files of a message, and of ours about it, that no other message has, of any workspace."""
        its = sa.and_(*_files_about(workspace, id))
        elsewhere = sa.select(ConsoleFileRow.sha256).where(sa.not_(its))
        mine = sa.select(ConsoleFileRow.sha256).where(its, ConsoleFileRow.sha256.not_in(elsewhere))
        return await self._records.read(lambda connection: sorted(set(connection.scalars(mine))))

    async def erase(self, workspace: str, id: str, *, effect: str) -> StoredMessage | None:
        """Delete what a message held that was taken out. Only a note stays that it was here: its id must never be new."""
        await self.drop_files(workspace, id)
        return await self._set(workspace, id, ("removed",), state="erased", text="", edit_effect=effect)

    async def told_about(self, workspace: str, id: str) -> list[StoredMessage]:
        """Return what we said about a message."""
        return await self._all(workspace, ConsoleMessageRow.about == id)

    async def find(self, workspace: str, id: str) -> StoredMessage | None:
        return await self._first(workspace, ConsoleMessageRow.id == id)

    async def made_by(self, workspace: str, effect: str) -> StoredMessage | None:
        """Return the message that `effect` made."""
        return await self._first(workspace, ConsoleMessageRow.effect == effect)

    async def newest(
        self, workspace: str, channel: str, *, viewer: str, limit: int, before: int | None = None
    ) -> list[StoredMessage]:
        """Return the newest messages of a channel that `viewer` may see, oldest first and without replies.

        `before`: only those older than the message with this `seq`.
        """
        conditions = [ConsoleMessageRow.channel == channel, ConsoleMessageRow.thread.is_(None), *_seen_by(viewer)]
        if before is not None:
            conditions.append(ConsoleMessageRow.seq < before)
        return (await self._all(workspace, *conditions, order=ConsoleMessageRow.seq.desc(), limit=limit))[::-1]

    async def newest_seqs(self, workspace: str, channel: str, *, viewer: str, limit: int) -> list[int]:
        """Return the `seq` of each message that `newest` would return."""
        seqs = (
            sa.select(ConsoleMessageRow.seq)
            .where(
                ConsoleMessageRow.workspace == workspace,
                ConsoleMessageRow.channel == channel,
                ConsoleMessageRow.thread.is_(None),
                *_seen_by(viewer),
            )
            .order_by(ConsoleMessageRow.seq.desc())
            .limit(limit)
        )
        return await self._records.read(lambda connection: list(connection.scalars(seqs))[::-1])

    async def replies(self, workspace: str, root: str, *, viewer: str) -> list[StoredMessage]:
        """Return the replies to a message that `viewer` may see, oldest first."""
        return await self._all(workspace, ConsoleMessageRow.thread == root, *_seen_by(viewer))

    async def count_replies(self, workspace: str, roots: Collection[str], *, viewer: str) -> dict[str, Replies]:
        """Return what hangs on each of `roots` for `viewer`; a message without replies is left out."""
        counted = (
            sa.select(ConsoleMessageRow.thread, sa.func.count(), sa.func.max(ConsoleMessageRow.at))
            .where(ConsoleMessageRow.workspace == workspace, ConsoleMessageRow.thread.in_(roots), *_seen_by(viewer))
            .group_by(ConsoleMessageRow.thread)
        )
        found = await self._records.read(lambda connection: connection.execute(counted).all())
        return {root: Replies(count=count, last_at=last_at) for root, count, last_at in found if root is not None}

    async def newest_with_file(
        self, workspace: str, channel: str, thread: str | None, *, pictures: bool = False
    ) -> StoredMessage | None:
        """Return the newest message of a person with a file that all may see: of a thread with its root, or a channel's own.

        `pictures`: with a file that says it is a picture, or does not say what it is.
        """
        inside: sa.ColumnElement[bool] = ConsoleMessageRow.thread.is_(None)
        if thread is not None:
            inside = sa.or_(ConsoleMessageRow.thread == thread, ConsoleMessageRow.id == thread)
        kind = ConsoleFileRow.media_type
        conditions = (
            ConsoleMessageRow.channel == channel,
            ConsoleMessageRow.state == "shown",
            ConsoleMessageRow.only_for.is_(None),
            ConsoleMessageRow.person.is_not(None),
            inside,
            sa.exists().where(
                ConsoleFileRow.workspace == ConsoleMessageRow.workspace,
                ConsoleFileRow.message == ConsoleMessageRow.id,
                *([sa.or_(kind.in_(UNTYPED), kind.startswith("image/"))] if pictures else []),
            ),
        )
        return await self._first(workspace, *conditions, order=ConsoleMessageRow.seq.desc())

    async def with_file(self, workspace: str, file: str) -> StoredMessage | None:
        """Return the message that a file belongs to, which says who may see it."""
        of_file = sa.select(ConsoleFileRow.message).where(ConsoleFileRow.workspace == workspace, ConsoleFileRow.id == file)
        return await self._first(workspace, ConsoleMessageRow.id.in_(of_file))

    async def pictures_taken_out(self, workspace: str, messages: Collection[str]) -> dict[str, Attachment]:
        """Return the first picture of each of `messages` that has one and was taken out to be restored; types are claims."""
        pictures = (
            sa.select(ConsoleFileRow)
            .join(
                ConsoleMessageRow,
                sa.and_(
                    ConsoleMessageRow.workspace == ConsoleFileRow.workspace, ConsoleMessageRow.id == ConsoleFileRow.message
                ),
            )
            .where(
                *_files_of(workspace, messages), ConsoleFileRow.media_type.like("image/%"), ConsoleMessageRow.state == "removed"
            )
            .order_by(ConsoleFileRow.position.desc())
        )
        found = await self._records.read(lambda connection: connection.execute(pictures).all())
        return {row.message: _file(row) for row in found}  # the first one comes last

    async def unknown_hashes(self, hashes: Collection[str]) -> set[str]:
        """Return those of `hashes` that no file of any message has."""
        known = sa.select(ConsoleFileRow.sha256).where(ConsoleFileRow.sha256.in_(hashes)).distinct()
        return await self._records.read(lambda connection: set(hashes) - set(connection.scalars(known)))

    async def known_hashes(self) -> set[str]:
        """Return the hashes of all files of all messages; whatever else lies in the store is a stray."""
        hashes = sa.select(ConsoleFileRow.sha256).distinct()
        return await self._records.read(lambda connection: set(connection.scalars(hashes)))

    async def _all(
        self,
        workspace: str,
        *conditions: sa.ColumnElement[bool],
        order: sa.ColumnElement[Any] | None = None,
        limit: int | None = None,
    ) -> list[StoredMessage]:
        return await self._records.read(lambda connection: _all(connection, workspace, *conditions, order=order, limit=limit))

    async def _first(
        self, workspace: str, *conditions: sa.ColumnElement[bool], order: sa.ColumnElement[Any] | None = None
    ) -> StoredMessage | None:
        return await self._records.read(lambda connection: _first(connection, workspace, *conditions, order=order))

    async def _set(
        self, workspace: str, id: str, states: Collection[str], *conditions: sa.ColumnElement[bool], **values: Any
    ) -> StoredMessage | None:
        """Change a message that is in one of `states`. Return it as it stands then, or None where nothing was changed."""
        update = (
            sa.update(ConsoleMessageRow)
            .where(*_is(workspace, id), ConsoleMessageRow.state.in_(states), *conditions)
            .values(**values)
            .returning(ConsoleMessageRow.id)
        )
        ours = sa.update(ConsoleMessageRow).where(
            ConsoleMessageRow.workspace == workspace,
            ConsoleMessageRow.about == id,
            ConsoleMessageRow.state.not_in(TAKEN_BACK),
        )

        def change(connection: sa.Connection) -> StoredMessage | None:
            if connection.scalar(update) is None:
                return None
            if state := values.get("state"):
                connection.execute(ours.values(**_along_with(state)))
            return _first(connection, workspace, ConsoleMessageRow.id == id)

        return await self._records.write(change)


def sha256_of(file: Attachment) -> str:
    return file.url.removeprefix(URL_PREFIX)


def _is(workspace: str, id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return ConsoleMessageRow.workspace == workspace, ConsoleMessageRow.id == id


def _along_with(state: str | None) -> dict[str, Any]:
    """Return what becomes of what we said about a message that is in `state`."""
    if state == "erased":
        return {"state": state, "answer": None}
    return {"state": "removed" if state == "removed" else "shown"}


def _seen_by(viewer: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    mine = sa.or_(ConsoleMessageRow.only_for.is_(None), ConsoleMessageRow.only_for == viewer)
    return ConsoleMessageRow.state.in_(STANDING), mine


def _files_of(workspace: str, messages: Collection[str]) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return ConsoleFileRow.workspace == workspace, ConsoleFileRow.message.in_(messages)


def _files_about(workspace: str, id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Return what the files of a message, and of what we said about it, have in common."""
    told = sa.select(ConsoleMessageRow.id).where(
        ConsoleMessageRow.workspace == workspace, sa.or_(ConsoleMessageRow.id == id, ConsoleMessageRow.about == id)
    )
    return ConsoleFileRow.workspace == workspace, ConsoleFileRow.message.in_(told)


def _as_json(answer: Answer) -> Any:
    return ANSWER.dump_python(answer, mode="json")


def _file_rows(workspace: str, message: str, files: Sequence[OurFile]) -> list[dict[str, Any]]:
    return [
        {
            "id": each.file.id,
            "workspace": workspace,
            "message": message,
            "position": each.position,
            "sha256": sha256_of(each.file),
            "name": each.file.name,
            "media_type": each.file.media_type,
            "size_bytes": each.file.size_bytes,
            "alt_text": each.alt_text,
        }
        for each in files
    ]


def _all(
    connection: sa.Connection,
    workspace: str,
    *conditions: sa.ColumnElement[bool],
    order: sa.ColumnElement[Any] | None = None,
    limit: int | None = None,
) -> list[StoredMessage]:
    rows = (
        _MESSAGES.where(ConsoleMessageRow.workspace == workspace, *conditions)
        .order_by(ConsoleMessageRow.seq if order is None else order)
        .limit(limit)
    )
    found = connection.execute(rows).all()
    if not found:
        return []
    files = connection.execute(
        sa.select(ConsoleFileRow)
        .where(*_files_of(workspace, [row.id for row in found]))
        .order_by(ConsoleFileRow.message, ConsoleFileRow.position)
    )
    of_message: dict[str, list[Any]] = {}
    for row in files:
        of_message.setdefault(row.message, []).append(row)
    return [_message(row, of_message.get(row.id, [])) for row in found]


def _first(
    connection: sa.Connection,
    workspace: str,
    *conditions: sa.ColumnElement[bool],
    order: sa.ColumnElement[Any] | None = None,
) -> StoredMessage | None:
    found = _all(connection, workspace, *conditions, order=order, limit=1)
    return found[0] if found else None


# Each message with who wrote it.
_MESSAGES: Final = sa.select(
    ConsoleMessageRow, ConsolePersonRow.name.label("person_name"), ConsolePersonRow.role.label("person_role")
).outerjoin(
    ConsolePersonRow,
    sa.and_(
        ConsolePersonRow.platform == CONSOLE.platform,
        ConsolePersonRow.workspace == ConsoleMessageRow.workspace,
        ConsolePersonRow.id == ConsoleMessageRow.person,
    ),
)


def _file(row: Any) -> Attachment:
    url = URL_PREFIX + row.sha256
    return Attachment(id=row.id, url=url, name=row.name, media_type=row.media_type, size_bytes=row.size_bytes)


def _message(row: Any, files: Sequence[Any]) -> StoredMessage:
    author = None
    if row.person is not None:
        # Somebody whose row is gone has no name any more, and no rights.
        name, role = (row.person_name, Role(row.person_role)) if row.person_name is not None else ("Somebody", Role.MEMBER)
        author = Person(id=row.person, name=name, role=role)
    return StoredMessage(
        seq=row.seq,
        id=row.id,
        channel=row.channel,
        thread=row.thread,
        author=author,
        text=row.text,
        command=row.command,
        answer=None if row.answer is None else ANSWER.validate_python(row.answer),
        only_for=row.only_for,
        state=row.state,
        edit_effect=row.edit_effect,
        at=row.at,
        files=tuple(_file(each) for each in files),
        alt_texts={each.id: each.alt_text for each in files if each.alt_text},
        positions={each.id: each.position for each in files},
        reactions=tuple(row.reactions.split()),
    )
