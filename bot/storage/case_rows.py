"""How a case lies in its row: what is sealed, what is said of it, and which case a row is."""

import base64
import hashlib
from typing import Any, Final, cast

import sqlalchemy as sa
from pydantic import Field

from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, now
from handlers.events import Frozen, Person, Place, Tenant
from handlers.ports.cases import Appeal, Case, CaseState, KnownBy, Measure
from pipelines.errors import UserError
from pipelines.moderation.policy import Action
from pipelines.moderation.report import CategoryName
from pipelines.moderation.verdict import Verdict

ID_CHARS: Final = 12  # of base32: 60 bits, so that a million cases of a workspace do not collide
UNDECIDED: Final = ("open", "reported")


class Sealed(Frozen):
    """What a case's row does not show: the verdict with its evidence, people's names by id, and what they wrote.

    `decided_by` is a name in rows from before `names`.
    """

    verdict: Verdict
    author: Person
    decided_by: str = ""
    names: dict[str, str] = Field(default_factory=dict)
    appeal: str = ""
    known_by: tuple[KnownBy, ...] = ()


def case_of(row: sa.Row[Any], seal: Seal) -> Case:
    """Return the case that a row holds."""
    known = unsealed(row, seal)
    claimed = row.claimed_until is not None and row.claimed_until > now()
    return Case(
        id=row.id,
        place=Place(platform=row.platform, workspace=row.workspace, channel=row.channel, thread=row.thread),
        message=row.message,
        author=known.author,
        verdict=known.verdict,
        action=Action(row.action),
        shadow=row.shadow,
        state=cast(CaseState, row.state),
        decided_by=known.names.get(row.decided_by, known.decided_by) if row.decided_by is not None else "",
        over_quota=row.over_quota,
        raid=row.raid,
        event=row.event,
        at=row.at,
        category=row.category,
        right_category=row.right_category,
        decided_by_id=row.decided_by or "",
        decided_event=row.decided_event or "",
        decided_at=row.decided_at,
        known_by=known.known_by,
        measures=cast(tuple[Measure, ...], tuple(row.measures.split())),
        appeal=_appeal(row, known),
        gone=row.gone,
        claimed_by=row.claimed_by if claimed else "",
        claimed_until=row.claimed_until if claimed else None,
        version=row.version,
        names={known.author.id: known.author.name, **known.names},
        out_since=row.out_since,
        undone=row.undone,
        private=row.private,
        silent_until=row.silent_until,
    )


def _appeal(row: sa.Row[Any], known: Sealed) -> Appeal | None:
    if not row.appeal:
        return None
    by = row.appeal_decided_by or ""
    return Appeal(
        text=known.appeal,
        at=row.appealed_at,
        state=row.appeal,
        decided_by=known.names.get(by, ""),
        decided_by_id=by,
    )


def unsealed(row: sa.Row[Any], seal: Seal) -> Sealed:
    return Sealed.model_validate_json(seal.open(row.sealed))


def category_of(verdict: Verdict) -> CategoryName:
    """Return the category of the finding which weighs most, empty where nothing was found."""
    heaviest = max(verdict.findings, key=lambda each: (each.severity, each.confidence), default=None)
    return heaviest.category if heaviest else ""


def case_id(tenant: Tenant, event: str) -> str:
    """Return the id of the case that `event` opens: always the same one, short enough to read out."""
    name = "\n".join((tenant.platform, tenant.workspace, event))
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode("ascii").lower()[:ID_CHARS]


def row_of(connection: sa.Connection, tenant: Tenant, case: str, *, to_change: bool = False) -> sa.Row[Any]:
    """Return the row of a case; one `to_change` waits for others who change it, and has them wait.

    Raises: `UserError` when there is no such case.
    """
    wanted = sa.select(CaseRow).where(*is_case(tenant, case))
    row = connection.execute(wanted.with_for_update() if to_change else wanted).one_or_none()
    if row is None:
        raise UserError("There is no such case here (any more).")
    return row


def is_case(tenant: Tenant, case: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (*CaseRow.of(tenant), CaseRow.id == case)
