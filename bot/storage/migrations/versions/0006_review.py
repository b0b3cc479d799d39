"""Cases that are reviewed, appealed and claimed, the chain of the audit, and people of other workspaces in the console."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TENANT = ("platform", "workspace")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=False) for name in names]


def upgrade() -> None:
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.add_column(sa.Column("undecided", sa.Boolean(), nullable=False, server_default=sa.true()))
        for name in ("urgent", "gone", "reported", "private"):
            batch_op.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        for name in ("category", "right_category", "appeal", "measures", "undone"):
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
        for name in ("appeal_decided_by", "appeal_decided_event", "claimed_by"):
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=True))
        for name in ("appealed_at", "claimed_until", "expires_at", "out_since", "silent_until"):
            batch_op.add_column(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE \"case\" SET undecided = (decided_event IS NULL), reported = (state = 'reported')")
    taken_out = "action IN ('hold', 'remove', 'timeout') AND NOT shadow AND NOT reported AND state IN ('open', 'kept')"
    op.execute(f'UPDATE "case" SET out_since = at WHERE {taken_out}')
    for name, columns in (
        ("message", ("channel", "message")),
        ("queue", ("undecided", "urgent", "at")),
        ("of_author", ("author", "undecided", "urgent", "at")),
        ("strikes", ("author", "at")),
        ("newest", ("at",)),
        ("raid", ("raid", "at")),
    ):
        op.create_index(f"ix_case_{name}", "case", [*TENANT, *columns], unique=False)
    op.create_index("ix_case_expires_at", "case", ["expires_at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), nullable=False, autoincrement=False),
        *_texts("key"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_texts("kind", "case", "facts", "subject", "actor"),
        *_bytes("salt", "people", "digest", "chain"),
        *_texts(*TENANT),
        sa.PrimaryKeyConstraint(*TENANT, "seq", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_key", "audit", [*TENANT, "key"], unique=True)
    op.create_index("ix_audit_case", "audit", [*TENANT, "case"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("seq", sa.Integer(), nullable=False),
        *_bytes("chain"),
        sa.Column("begins_after", sa.Integer(), nullable=False),
        *_bytes("begins_chain", "signature"),
        *_texts(*TENANT),
        sa.PrimaryKeyConstraint(*TENANT, name=op.f("pk_audit_head")),
    )
    for table in ("console_person", "console_code", "console_sign_in"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("platform", sa.Text(), nullable=False, server_default="console"))
    with op.batch_alter_table("console_person", schema=None) as batch_op:
        batch_op.drop_constraint("pk_console_person", type_="primary")
        batch_op.create_primary_key("pk_console_person", ["platform", "workspace", "id"])
