"""What minute rows have shown, so that another ingester goes on with it; when the last heartbeat came."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "machine_silences",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "estate", "since_ms", name=op.f("pk_machine_silences")),
    )
    op.create_table(
        "shown_ledgers",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("quarter_ms", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("missing", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_shown_ledgers")),
    )
    op.add_column("heard", sa.Column("beat_ms", sa.BigInteger(), nullable=True))
    op.execute("UPDATE heard SET beat_ms = arrived_ms WHERE heartbeat IS NOT NULL")
