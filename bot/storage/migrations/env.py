"""Alembic's side of `bot.storage.migration`, which hands over an open connection with its transaction begun."""

from typing import Any, Literal

from alembic import context

from bot.storage.tables import Table, UtcDateTime


def _ours(name: str | None, kind: str, _: Any) -> bool:
    """Leave out tables that are not ours: the durable engine may keep some beside them."""
    return kind != "table" or name in Table.metadata.tables


def _rendered(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write a type of ours as what it is in the database: a version stays true when the code moves on."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
    include_name=_ours,
    render_item=_rendered,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
