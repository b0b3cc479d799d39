"""What holds for the message of a case: whether it is out of its channel, and whether anybody may keep anything of it."""

from typing import Any

import sqlalchemy as sa

from bot.storage.case_rows import is_case, unsealed
from bot.storage.seal import Seal
from bot.storage.tables import CaseRow, now
from handlers.events import Tenant
from handlers.ports.cases import Link


def note_acted(connection: sa.Connection, tenant: Tenant, acted: Link) -> bool:
    """Write into a case what became of its message; `acted` is the link that tells it. Return whether the case changes."""
    changes = _after(str(acted.facts["effect"]), str(acted.facts["status"]), str(acted.facts["why"]))
    if not changes:
        return False
    differs = sa.or_(*(getattr(CaseRow, name).is_distinct_from(value) for name, value in changes.items()))
    changed = sa.update(CaseRow).where(*is_case(tenant, acted.case), differs)
    return connection.execute(changed.values(**changes, version=CaseRow.version + 1)).rowcount > 0


def _after(effect: str, status: str, why: str) -> dict[str, Any]:
    """Return the columns of a case after an effect on its message."""
    match effect, status:
        case (("remove" | "restore" | "take_back"), "failed"):
            return {"undone": why}
        case "remove", _:
            return {"out_since": sa.func.coalesce(CaseRow.out_since, sa.literal(now(), CaseRow.out_since.type)), "undone": ""}
        case "take_back", _:
            return {"out_since": now(), "undone": ""}
        case "restore", "done":
            return {"out_since": None, "undone": ""}
        case _:
            return {}


def is_private(connection: sa.Connection, tenant: Tenant, channel: str, message: str) -> bool:
    """Whether nobody may keep anything of a message, as one of its cases says."""
    private = _about(tenant, channel, message).where(CaseRow.private)
    return connection.execute(private.limit(1)).first() is not None


def make_private(connection: sa.Connection, seal: Seal, tenant: Tenant, row: sa.Row[Any]) -> tuple[str, ...]:
    """Have all other cases about the message of a case know none of its files. Return the ids of those that change."""
    others = _about(tenant, row.channel, row.message).where(CaseRow.id != row.id, CaseRow.private.is_(False))
    changed = connection.execute(others.with_for_update()).all()
    for each in changed:
        sealed = seal.close(unsealed(each, seal).model_copy(update={"known_by": ()}))
        columns = {"private": True, "sealed": sealed, "version": each.version + 1}
        connection.execute(sa.update(CaseRow).where(*is_case(tenant, each.id)).values(columns))
    return tuple(each.id for each in changed)


def _about(tenant: Tenant, channel: str, message: str) -> sa.Select[Any]:
    return sa.select(CaseRow).where(*CaseRow.of(tenant), CaseRow.channel == channel, CaseRow.message == message)
