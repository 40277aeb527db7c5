"""Lapses, the last readings of clock and disk, and since when a reader fails. Made by `migrate.revise`, then read."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "lapses",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "since_ms", name=op.f("pk_lapses")),
    )
    op.create_table(
        "clock_readings",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "slot", name=op.f("pk_clock_readings")),
    )
    op.create_table(
        "disk_readings",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.Column("free_pct", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("device", "slot", name=op.f("pk_disk_readings")),
    )
    op.create_table(
        "reader_faults",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_reader_faults")),
    )
