"""The first tables. Generated, as every revision is: `migrate.revise` writes it, a person reads it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "boots",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("boot", sa.String(length=36), nullable=False),
        sa.Column("base_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "boot", name=op.f("pk_boots")),
    )
    op.create_table(
        "calendar",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('holiday', 'lebaran', 'flood', 'closure')", name=op.f("ck_calendar_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("outbox", sa.String(length=36), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("replayed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index(op.f("ix_dead_letters_reason"), "dead_letters", ["reason"], unique=False)
    op.create_table(
        "declared_lost",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declared_lost")),
    )
    op.create_index(op.f("ix_declared_lost_device"), "declared_lost", ["device"], unique=False)
    op.create_table(
        "dirty_days",
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("touched", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("estate", "day", name=op.f("pk_dirty_days")),
    )
    op.create_table(
        "estates",
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("go_live", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("estate", name=op.f("pk_estates")),
    )
    op.create_table(
        "heard",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat", sa.Text(), nullable=True),
        sa.Column("session", sa.BigInteger(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("status_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_heard")),
    )
    op.create_table(
        "hour_counts",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("device", "hour_ms", name=op.f("pk_hour_counts")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "presence",
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("taps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("unit", "day", "device", name=op.f("pk_presence")),
    )
    op.create_index("ix_presence_day", "presence", ["day"], unique=False)
    op.create_table(
        "proofs",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("outbox", sa.String(length=36), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("boot", sa.String(length=36), nullable=False),
        sa.Column("uptime_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "outbox", "last_seq", "boot", name=op.f("pk_proofs")),
    )
    op.create_table(
        "quarter_counts",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("quarter_ms", sa.BigInteger(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("device", "quarter_ms", name=op.f("pk_quarter_counts")),
    )
    op.create_table(
        "streams",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("outbox", sa.String(length=36), nullable=False),
        sa.Column("answered", sa.Text(), nullable=False),
        sa.Column("dropped", sa.Text(), nullable=False),
        sa.Column("conflicts", sa.Text(), nullable=False),
        sa.Column("highest_told", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_told", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_seq", sa.BigInteger(), nullable=True),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("gap_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("asked_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_streams")),
        sa.UniqueConstraint("device", "outbox", name=op.f("uq_streams_device_outbox")),
    )
    op.create_table(
        "arrivals",
        sa.Column("stream", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=True),
        sa.Column("mono_ms", sa.BigInteger(), nullable=True),
        sa.Column("boot", sa.String(length=36), nullable=True),
        sa.Column("dated", sa.Boolean(), nullable=True),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('stored', 'held', 'rejected')", name=op.f("ck_arrivals_state")),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name=op.f("fk_arrivals_stream_streams")),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_arrivals")),
    )
    op.create_index(op.f("ix_arrivals_arrived_ms"), "arrivals", ["arrived_ms"], unique=False)
    op.create_table(
        "installations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("installed_ms", sa.BigInteger(), nullable=False),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.Column("service_hours", sa.Text(), nullable=False),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["estate"], ["estates.estate"], name=op.f("fk_installations_estate_estates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
    )
    op.create_index(op.f("ix_installations_device"), "installations", ["device"], unique=False)
    op.create_index(op.f("ix_installations_estate"), "installations", ["estate"], unique=False)
    op.create_table(
        "units",
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["estate"], ["estates.estate"], name=op.f("fk_units_estate_estates")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_units")),
    )
    op.create_index(op.f("ix_units_estate"), "units", ["estate"], unique=False)
    op.create_table(
        "cards",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=True),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("obliged", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("ended_because", sa.String(length=8), nullable=False),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(unit IS NULL) = (role = 'test')", name=op.f("ck_cards_unit_unless_test")),
        sa.CheckConstraint("role IN ('holder', 'member', 'test')", name=op.f("ck_cards_role")),
        sa.ForeignKeyConstraint(["unit"], ["units.unit"], name=op.f("fk_cards_unit_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
    )
    op.create_index(op.f("ix_cards_pseudonym"), "cards", ["pseudonym"], unique=False)
    op.create_index(op.f("ix_cards_unit"), "cards", ["unit"], unique=False)
    op.create_table(
        "device_events",
        sa.Column("stream", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream", "seq"], ["arrivals.stream", "arrivals.seq"], name=op.f("fk_device_events_stream_seq_arrivals")
        ),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_device_events")),
    )
    op.create_index("ix_device_events_device_at_ms", "device_events", ["device", "at_ms"], unique=False)
    op.create_table(
        "device_hours",
        sa.Column("stream", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("able_min", sa.Integer(), nullable=False),
        sa.Column("dated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream", "seq"], ["arrivals.stream", "arrivals.seq"], name=op.f("fk_device_hours_stream_seq_arrivals")
        ),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_device_hours")),
    )
    op.create_index("ix_device_hours_device_hour_ms", "device_hours", ["device", "hour_ms"], unique=False)
    op.create_table(
        "held",
        sa.Column("stream", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream", "seq"], ["arrivals.stream", "arrivals.seq"], name=op.f("fk_held_stream_seq_arrivals")
        ),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_held")),
    )
    op.create_index(op.f("ix_held_reason"), "held", ["reason"], unique=False)
    op.create_table(
        "leave",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=False),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["units.unit"], name=op.f("fk_leave_unit_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave")),
    )
    op.create_index(op.f("ix_leave_unit"), "leave", ["unit"], unique=False)
    op.create_table(
        "sightings",
        sa.Column("stream", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("uncertainty_ms", sa.BigInteger(), nullable=False),
        sa.Column("pseudonym", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=True),
        sa.Column("estate", sa.String(length=8), nullable=False),
        sa.Column("arrived_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome IN ('known', 'unknown', 'test')", name=op.f("ck_sightings_outcome")),
        sa.ForeignKeyConstraint(
            ["stream", "seq"], ["arrivals.stream", "arrivals.seq"], name=op.f("fk_sightings_stream_seq_arrivals")
        ),
        sa.PrimaryKeyConstraint("stream", "seq", name=op.f("pk_sightings")),
    )
    op.create_index("ix_sightings_device_at_ms", "sightings", ["device", "at_ms"], unique=False)
    op.create_index(op.f("ix_sightings_outcome"), "sightings", ["outcome"], unique=False)
    op.create_index(op.f("ix_sightings_pseudonym"), "sightings", ["pseudonym"], unique=False)
    op.create_table(
        "tenancies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=True),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["units.unit"], name=op.f("fk_tenancies_unit_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenancies")),
    )
    op.create_index(op.f("ix_tenancies_unit"), "tenancies", ["unit"], unique=False)
