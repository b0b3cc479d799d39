"""Extractions among the results, their index of words, and schemas by workspace."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TENANT = ("platform", "workspace")


def upgrade() -> None:
    with op.batch_alter_table("result", schema=None) as batch_op:
        for name in ("id", "batch"):
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("thread", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("attachment", sa.LargeBinary(), nullable=True))
    for name in ("id", "batch", "message"):
        op.create_index(f"ix_result_{name}", "result", [*TENANT, name], unique=False)
    op.create_table(
        "extraction_schema",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("text", "author", "event")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in TENANT),
        sa.PrimaryKeyConstraint("name", "version", *TENANT, name=op.f("pk_extraction_schema")),
        sa.UniqueConstraint(*TENANT, "event", name=op.f("uq_extraction_schema_event")),
    )
    with op.batch_alter_table("console_message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reactions", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("console_file", schema=None) as batch_op:
        batch_op.add_column(sa.Column("alt_text", sa.Text(), nullable=False, server_default=""))
    # Full-text search: the two databases have nothing in common here (`bot.storage.index`).
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE result_words USING fts5(words, platform UNINDEXED, workspace UNINDEXED, result UNINDEXED,"
            " tokenize = 'ascii')"
        )
        return
    op.execute(
        "CREATE TABLE result_words (rowid BIGINT PRIMARY KEY, words TSVECTOR NOT NULL, platform TEXT NOT NULL,"
        " workspace TEXT NOT NULL, result TEXT NOT NULL)"
    )
    op.execute("CREATE INDEX ix_result_words ON result_words USING gin (words)")
