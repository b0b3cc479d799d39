"""Policies by workspace, verdicts without content, known content, and what cases need for strikes, quotas and outages."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TENANT = ("platform", "workspace")


def _tenant() -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in TENANT]


def upgrade() -> None:
    with op.batch_alter_table("case", schema=None) as batch_op:
        for name in ("waits_for_model", "over_quota"):
            batch_op.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("strike", sa.Text(), nullable=False, server_default="never"))
        batch_op.add_column(sa.Column("raid", sa.Text(), nullable=False, server_default=""))
        for name in ("at", "author", "waits_for_model"):
            batch_op.create_index(batch_op.f(f"ix_case_{name}"), [name], unique=False)
    with op.batch_alter_table("setup", schema=None) as batch_op:
        batch_op.add_column(sa.Column("while_away", sa.Text(), nullable=True))
    with op.batch_alter_table("console_person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("silent_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "policy",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_tenant(),
        sa.PrimaryKeyConstraint("number", *TENANT, name=op.f("pk_policy")),
    )
    op.create_table(
        "verdict",
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("channel_name", sa.Text(), nullable=False),
        sa.Column("age_gated", sa.Boolean(), nullable=False),
        sa.Column("exempt", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("incomplete", sa.JSON(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_tenant(),
        sa.PrimaryKeyConstraint("event", *TENANT, name=op.f("pk_verdict")),
    )
    op.create_table(
        "known_hash",
        *_tenant(),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("entry", "kind", "value", "listed")),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("finding_kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("text_bearing", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(*TENANT, "entry", "kind", "value", name=op.f("pk_known_hash")),
    )
    op.create_table(
        "findings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        *_tenant(),
        sa.PrimaryKeyConstraint("key", *TENANT, name=op.f("pk_findings")),
    )
    for table, columns in {
        "verdict": ("expires_at",),
        "known_hash": ("expires_at",),
        "findings": ("expires_at",),
    }.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in columns:
                batch_op.create_index(batch_op.f(f"ix_{table}_{name}"), [name], unique=False)
    op.create_index("ix_verdict_newest", "verdict", ["platform", "workspace", "at"], unique=False)
