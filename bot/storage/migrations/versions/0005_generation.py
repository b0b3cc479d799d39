"""What members want made, the jobs at a maker, and what came of them."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TENANT = ("platform", "workspace")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _moments(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=nullable) for name in names]


def upgrade() -> None:
    op.create_table(
        "wish",
        *_texts("id", "event", "person", "state", "kind", "model", "root", "erased_by"),
        sa.Column("cost_microusd", sa.BigInteger(), nullable=False),
        sa.Column("first_attempt", sa.Integer(), nullable=False),
        sa.Column("begun_before", sa.Integer(), nullable=False),
        *_moments("begun_at", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        *_moments("at", "expires_at"),
        *_texts(*TENANT),
        sa.PrimaryKeyConstraint("id", *TENANT, name=op.f("pk_wish")),
        sa.UniqueConstraint(*TENANT, "event", name=op.f("uq_wish_event")),
    )
    op.create_table(
        "made_file",
        *_texts("job", "wish", "media_type"),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        *_moments("expires_at"),
        *_texts(*TENANT),
        sa.PrimaryKeyConstraint("job", *TENANT, name=op.f("pk_made_file")),
    )
    op.create_table(
        "job",
        *_texts("key", "wish", "account", "state", "failure"),
        sa.Column("cost_microusd", sa.BigInteger(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        *_moments("slot_until", nullable=True),
        *_moments("at", "expires_at"),
        *_texts(*TENANT),
        sa.PrimaryKeyConstraint("key", *TENANT, name=op.f("pk_job")),
    )
    for table, name in (
        ("wish", "state"),
        ("wish", "begun_at"),
        ("wish", "root"),
        ("made_file", "wish"),
        ("job", "wish"),
        ("job", "at"),
    ):
        op.create_index(f"ix_{table}_{name}", table, [*TENANT, name], unique=False)
    op.create_index("ix_job_slots", "job", ["account", "slot_until"], unique=False)
    for table in ("wish", "made_file", "job"):
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"], unique=False)
