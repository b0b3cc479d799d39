"""What the audit says of a case and of what becomes of it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bot.storage.case_rows import Sealed
from handlers.events import Person
from handlers.ports.cases import Link, LinkKind


def link_key(event: str, kind: str, case: str) -> str:
    """Return the key of a link: an event may change several cases, each once in each way."""
    return f"{event}!{kind}:{case}"


def link(event: str, kind: LinkKind, row: sa.Row[Any], actor: Person | None, /, **facts: Any) -> Link:
    return Link(
        key=link_key(event, kind, row.id),
        kind=kind,
        facts=facts,
        case=row.id,
        subject=row.author,
        actor=actor.id if actor else "",
    )


def facts_of(row: sa.Row[Any], known: Sealed, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the audit says of a verdict and of what follows from it, `changed` as it is in its row."""
    verdict, now_so = known.verdict, {**row._mapping, **(changed or {})}
    files = sorted({each.value for file in known.known_by for each in file.exact if each.kind == "sha256"})
    return {
        **{name: now_so[name] for name in ("event", "channel", "message", "action", "shadow", "state", "over_quota", "raid")},
        "decision": verdict.decision,
        "called_for": verdict.action.value,
        "findings": [[each.category, each.kind, each.severity, each.confidence] for each in verdict.findings],
        "incomplete": [each.cause for each in verdict.incomplete],
        "judged": verdict.coverage.judged,
        "total": verdict.coverage.total,
        "policy": verdict.policy,
        "profile": verdict.profile,
        "prompt": verdict.prompt,
        "engine": verdict.engine,
        "files": files,
    }
