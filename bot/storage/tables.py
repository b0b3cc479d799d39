"""The records: SQLAlchemy tables for SQLite and Postgres alike. The engine's own tables live in another database file.

Every row that belongs to a workspace names it (`platform`, `workspace`). Columns called `sealed` hold JSON encrypted with
`FLASHBULB_SECRET_KEY` (`bot.storage.seal`): what members wrote, evidence, plans, results.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from handlers.events import Tenant


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no time zones, so they are taken off on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def now() -> datetime:
    return datetime.now(UTC)


class Table(DeclarativeBase):
    """The base of all tables. The naming convention lets Alembic's batch mode find constraints on SQLite."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, bytes: sa.LargeBinary, str: sa.Text}


class OfTenant:
    """Whose row it is."""

    platform: Mapped[str] = mapped_column(primary_key=True)
    workspace: Mapped[str] = mapped_column(primary_key=True)

    @classmethod
    def of(cls, tenant: Tenant) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
        """Return the conditions that the rows of `tenant` meet."""
        return cls.platform == tenant.platform, cls.workspace == tenant.workspace


class InboxRow(OfTenant, Table):
    """An accepted event, sealed until its work has ended."""

    __tablename__ = "inbox"
    key: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(default=now)


class PlanRow(OfTenant, Table):
    """What was decided to do about an event, sealed until it is done."""

    __tablename__ = "plan"
    key: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(default=now)


class EffectRow(OfTenant, Table):
    """Whether an effect was carried out: `intent` before the act, then `done`, `gone` or `failed`."""

    __tablename__ = "effect"
    key: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    message: Mapped[str | None]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)


class CaseRow(OfTenant, Table):
    """A case. `sealed` holds the verdict, people's names, what they wrote about it, and by what its files are known.

    `reported`: a member did so. `category` is that of the finding which weighs most, empty where nothing was judged;
    `right_category` what a person says it is. `appeal`: empty, `open`, `granted` or `denied`. `claimed_by`: who looks at it
    until `claimed_until`. `gone`: the message was deleted by others. `version` grows with each change. `out_since`, `undone`,
    `private` and `silent_until` as in `handlers.ports.cases.Case`.
    """

    __tablename__ = "case"
    __table_args__ = (
        sa.Index("ix_case_queue", "platform", "workspace", "undecided", "urgent", "at"),
        sa.Index("ix_case_message", "platform", "workspace", "channel", "message"),
        sa.Index("ix_case_of_author", "platform", "workspace", "author", "undecided", "urgent", "at"),
        sa.Index("ix_case_strikes", "platform", "workspace", "author", "at"),
        sa.Index("ix_case_newest", "platform", "workspace", "at"),
        sa.Index("ix_case_raid", "platform", "workspace", "raid", "at"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(index=True)
    channel: Mapped[str]
    thread: Mapped[str | None]
    message: Mapped[str]
    author: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    shadow: Mapped[bool]
    state: Mapped[str] = mapped_column(index=True)
    decided_by: Mapped[str | None]
    decided_event: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    policy: Mapped[str]
    sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    strike: Mapped[str] = mapped_column(default="never")  # or `at_once`, or `if_kept`: against its author
    waits_for_model: Mapped[bool] = mapped_column(default=False, index=True)
    over_quota: Mapped[bool] = mapped_column(default=False)
    raid: Mapped[str] = mapped_column(default="")
    reported: Mapped[bool] = mapped_column(default=False)
    undecided: Mapped[bool] = mapped_column(default=True)  # or its appeal is: somebody has to look at it
    urgent: Mapped[bool] = mapped_column(default=False)  # while it is undecided: before all others
    category: Mapped[str] = mapped_column(default="")
    right_category: Mapped[str] = mapped_column(default="")
    appeal: Mapped[str] = mapped_column(default="")
    appealed_at: Mapped[datetime | None]
    appeal_decided_by: Mapped[str | None]
    appeal_decided_event: Mapped[str | None]
    measures: Mapped[str] = mapped_column(default="")  # what people did to its author: `timeout`, `ban`, with a blank between
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    gone: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    out_since: Mapped[datetime | None]
    undone: Mapped[str] = mapped_column(default="")
    private: Mapped[bool] = mapped_column(default=False)
    silent_until: Mapped[datetime | None]


class AuditRow(OfTenant, Table):
    """One link of a workspace's chain: what was decided or done and why, as numbers and names, without what anybody wrote.

    `facts` is JSON as it was digested. `subject` and `actor` are ids of people; with their halves of `salt` they make those of
    `people`, so that each can be erased and the rest still verifies. `digest` is over everything but the ids, `chain` over the
    digest and the link before it. `key` makes a link one link.
    """

    __tablename__ = "audit"
    __table_args__ = (
        sa.PrimaryKeyConstraint("platform", "workspace", "seq"),  # in this order, for a chain is read along it
        sa.Index("ix_audit_key", "platform", "workspace", "key", unique=True),
        sa.Index("ix_audit_case", "platform", "workspace", "case"),
    )
    seq: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    at: Mapped[datetime]
    kind: Mapped[str]
    case: Mapped[str] = mapped_column(default="")
    facts: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")
    salt: Mapped[bytes]
    people: Mapped[bytes]
    digest: Mapped[bytes]
    chain: Mapped[bytes]


class AuditHeadRow(OfTenant, Table):
    """Both ends of a workspace's chain: the last link, and the one before the first that is still kept, signed together."""

    __tablename__ = "audit_head"
    seq: Mapped[int]
    chain: Mapped[bytes]
    begins_after: Mapped[int] = mapped_column(default=0)
    begins_chain: Mapped[bytes]
    signature: Mapped[bytes]


class PolicyRow(OfTenant, Table):
    """One version of a workspace's policy, as it was written."""

    __tablename__ = "policy"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    fingerprint: Mapped[str]
    author: Mapped[str]
    event: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class VerdictRow(OfTenant, Table):
    """What was found in one message, as numbers and names. `findings` is a list of [category, kind, severity, confidence]."""

    __tablename__ = "verdict"
    __table_args__ = (sa.Index("ix_verdict_newest", "platform", "workspace", "at"),)
    event: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    channel_name: Mapped[str]
    age_gated: Mapped[bool]
    exempt: Mapped[bool]
    findings: Mapped[Any] = mapped_column(sa.JSON)
    incomplete: Mapped[Any] = mapped_column(sa.JSON)  # causes
    action: Mapped[str]
    policy: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class KnownHashRow(OfTenant, Table):
    """A hash of content that a person has allowed or denied, or that was denied for a while during a raid.

    `entry` names what one decision put here, so that it can be taken back without the others. `kind`: `sha256`, `pixels` or
    `pdq`, `value` in hexadecimal. `listed`: `allow` or `deny`; `category`, `finding_kind` and `severity` are what a denied one
    leads to. `text_bearing`: near copies of that picture need the judge.
    """

    __tablename__ = "known_hash"
    entry: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    listed: Mapped[str]
    category: Mapped[str] = mapped_column(default="")
    finding_kind: Mapped[str] = mapped_column(default="")
    severity: Mapped[int] = mapped_column(default=0)
    text_bearing: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(default="")
    by: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)


class FindingsRow(OfTenant, Table):
    """A complete report on some content, sealed, by a hash of all that was asked and of how it was asked."""

    __tablename__ = "findings"
    key: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ResultRow(OfTenant, Table):
    """What members asked for and we keep for `expires_at`: tags and alt texts, or what was taken out of a document, sealed.

    `id` names it on buttons and in the index of words (`bot.storage.index`), `batch` those that came of one event.
    `attachment`: where the picture is, sealed; of a document that is part of `sealed`.
    """

    __tablename__ = "result"
    __table_args__ = tuple(sa.Index(f"ix_result_{name}", "platform", "workspace", name) for name in ("id", "batch", "message"))
    event: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    message: Mapped[str]
    kind: Mapped[str]
    sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    id: Mapped[str] = mapped_column(default="")
    batch: Mapped[str] = mapped_column(default="")
    thread: Mapped[str | None]
    attachment: Mapped[bytes | None]


class SchemaRow(OfTenant, Table):
    """One version of a workspace's own schema, as YAML."""

    __tablename__ = "extraction_schema"
    __table_args__ = (sa.UniqueConstraint("platform", "workspace", "event", name="uq_extraction_schema_event"),)
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    author: Mapped[str]
    event: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class WishRow(OfTenant, Table):
    """What somebody wanted made. `sealed` holds the words and where the answer stands; the columns are what holds now.

    `cost_microusd` is what is reserved, then what it came to, counted for the day of `begun_at`; while that is null, for none.
    `begun_before`: how often it was begun earlier on that day and had something made. `root`: the message that it began with.

    `state`: as in `handlers.ports.generation`, or `erased`: then only kind, model and cost are left, and until the day is
    over the person, whose share of it stays used. `event` is its `id` then, and `erased_by` the key of the event that erased
    it. Where its root must not be kept, that stays, and `sealed` says where its answer stands, so that this can be taken back.
    """

    __tablename__ = "wish"
    __table_args__ = (
        sa.UniqueConstraint("platform", "workspace", "event", name="uq_wish_event"),
        *(sa.Index(f"ix_wish_{name}", "platform", "workspace", name) for name in ("state", "begun_at", "root")),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str]
    person: Mapped[str]
    state: Mapped[str]
    kind: Mapped[str]
    model: Mapped[str]
    cost_microusd: Mapped[int] = mapped_column(sa.BigInteger)
    root: Mapped[str] = mapped_column(default="")
    erased_by: Mapped[str] = mapped_column(default="")
    first_attempt: Mapped[int]
    begun_before: Mapped[int] = mapped_column(default=0)
    begun_at: Mapped[datetime | None]
    sealed: Mapped[bytes | None]
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class MadeFileRow(OfTenant, Table):
    """The sealed bytes of what one job of a wish has made. `size_bytes` is what they are when opened."""

    __tablename__ = "made_file"
    __table_args__ = (sa.Index("ix_made_file_wish", "platform", "workspace", "wish"),)
    job: Mapped[str] = mapped_column(primary_key=True)
    wish: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sealed: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class JobRow(OfTenant, Table):
    """One attempt to have something made, written down before it is submitted. `sealed` is what the maker told of it.

    It holds a slot of the maker's `account` until `slot_until`; null: until it has ended. The row outlives its wish being
    erased: it says that this attempt was submitted, and what that cost.
    """

    __tablename__ = "job"
    __table_args__ = (
        *(sa.Index(f"ix_job_{name}", "platform", "workspace", name) for name in ("wish", "at")),
        sa.Index("ix_job_slots", "account", "slot_until"),
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    wish: Mapped[str]
    account: Mapped[str]
    state: Mapped[str]
    failure: Mapped[str] = mapped_column(default="")
    cost_microusd: Mapped[int | None] = mapped_column(sa.BigInteger)
    sealed: Mapped[bytes | None]
    slot_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class CallRow(OfTenant, Table):
    """What asking one model cost. One row per event, task and position, so that repeating an event adds none."""

    __tablename__ = "model_call"
    event: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    model: Mapped[str]
    outcome: Mapped[str]
    note: Mapped[str]
    requests: Mapped[int]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cost_microusd: Mapped[int | None] = mapped_column(sa.BigInteger)
    latency_ms: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=now, index=True)


class SetupRow(OfTenant, Table):
    """What a workspace's admins chose. `watched` is a list of ids of channels."""

    __tablename__ = "setup"
    watched: Mapped[Any] = mapped_column(sa.JSON)
    log_channel: Mapped[str | None]
    mode: Mapped[str | None]
    while_away: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=now)


class MarkRow(OfTenant, Table):
    """How far a channel was read: every message up to this one has been accepted."""

    __tablename__ = "mark"
    channel: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)


class CopyRow(OfTenant, Table):
    """A sealed copy of a message that was taken out of its channel, until a moderator may no longer want it back."""

    __tablename__ = "copy"
    message: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class CopiedFileRow(OfTenant, Table):
    """The sealed bytes of one file of such a message."""

    __tablename__ = "copied_file"
    message: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ConsolePersonRow(OfTenant, Table):
    """Somebody who may open the console: a person of its own (`platform` is `console`), or of a workspace elsewhere."""

    __tablename__ = "console_person"
    platform: Mapped[str] = mapped_column(primary_key=True, default="console")
    workspace: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    invited_by_event: Mapped[str | None] = mapped_column(unique=True)
    silent_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(default=now)


class ConsoleCodeRow(OfTenant, Table):
    """A one-time code, by its SHA-256. Spending it deletes the row."""

    __tablename__ = "console_code"
    hash: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(default="console")
    workspace: Mapped[str] = mapped_column()  # no key here
    person: Mapped[str]
    expires_at: Mapped[datetime]


class ConsoleSignInRow(OfTenant, Table):
    """A browser that is signed in, by the SHA-256 of its cookie."""

    __tablename__ = "console_sign_in"
    hash: Mapped[str] = mapped_column(primary_key=True)
    platform: Mapped[str] = mapped_column(default="console")
    workspace: Mapped[str] = mapped_column()  # no key here
    person: Mapped[str]
    csrf: Mapped[str]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ConsoleMessageRow(Table):
    """A message in a channel of the console. The console is its own platform, so it keeps what is posted there.

    `person` wrote it, or it is ours (`answer`, JSON) when `person` is None. `command`: it is the line that says which slash
    command was used. `only_for`: only that person sees it. `effect`: the key of the effect that made it, `edit_effect`: of
    the last one that changed it, for look, act, confirm. `state`: `arriving` until its event is accepted, `unsent` when it was
    not, `shown`, `removed` (kept to be restored), `erased` (nothing of it was kept), or, where we deleted what is ours,
    `deleted` (a note stands there, as a thread hangs on it) or `taken_back` (nothing is seen). `about`: the message of which
    ours repeats something; it goes where that goes. `reactions`: the emojis that we put below it, with blanks between them.
    """

    __tablename__ = "console_message"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    workspace: Mapped[str]
    id: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str] = mapped_column(index=True)
    thread: Mapped[str | None] = mapped_column(index=True)
    person: Mapped[str | None]
    text: Mapped[str] = mapped_column(default="")
    command: Mapped[str | None]
    answer: Mapped[Any | None] = mapped_column(sa.JSON)
    about: Mapped[str | None] = mapped_column(index=True)
    only_for: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="shown")
    effect: Mapped[str | None] = mapped_column(unique=True)
    edit_effect: Mapped[str | None]
    reactions: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=now)


class ConsoleFileRow(Table):
    """A file of a message. The bytes lie in the data folder under their SHA-256; name and type are claims.

    `alt_text`: what a picture of ours shows.
    """

    __tablename__ = "console_file"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace: Mapped[str]
    message: Mapped[str] = mapped_column(index=True)
    position: Mapped[int]
    sha256: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    alt_text: Mapped[str] = mapped_column(default="")
