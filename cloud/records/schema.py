"""The tables. Instants are milliseconds since 1970 UTC (`..._ms`); days are local dates (Asia/Jakarta).

Four groups: the registry (who may be where), the ledger (what arrived, each seq once), what was counted from it, and
the programs' own state. A person's card appears only as its pseudonym, and only here.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a column declared INTEGER PRIMARY KEY.
RowId = BigInteger().with_variant(Integer(), "sqlite")

# ---- the registry: facts with the time at which the cloud learnt them ------------------------------------------------

estates = Table(
    "estates",
    metadata,
    Column("estate", String(8), primary_key=True),
    Column("name", Text, nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("go_live", Date, nullable=False),
)

units = Table(
    "units",
    metadata,
    Column("unit", String(64), primary_key=True),
    Column("estate", ForeignKey("estates.estate"), nullable=False, index=True),
)

tenancies = Table(
    "tenancies",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("unit", ForeignKey("units.unit"), nullable=False, index=True),
    Column("start", Date, nullable=False),
    Column("end", Date),  # exclusive
    Column("known_from_ms", BigInteger, nullable=False),
)

cards = Table(
    "cards",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("pseudonym", String(64), nullable=False, index=True),
    Column("unit", ForeignKey("units.unit"), index=True),  # none for a test card
    Column("role", String(8), nullable=False),
    Column("obliged", Boolean, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),  # this day included
    Column("ended_because", String(8), nullable=False, default=""),
    Column("known_from_ms", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False, default=0, index=True),  # registry version that last wrote the row
    CheckConstraint("role IN ('holder', 'member', 'test')", name="role"),
    CheckConstraint("(unit IS NULL) = (role = 'test')", name="unit_unless_test"),
)

installations = Table(
    "installations",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device", String(16), nullable=False, index=True),
    Column("estate", ForeignKey("estates.estate"), nullable=False, index=True),
    Column("installed_ms", BigInteger, nullable=False),
    Column("removed_ms", BigInteger),
    Column("service_hours", Text, nullable=False, default=""),
    Column("known_from_ms", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False, default=0, index=True),  # registry version that last wrote the row
)

calendar = Table(
    "calendar",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("scope", String(8), nullable=False),  # an estate, or * for all
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),  # included
    Column("kind", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("known_from_ms", BigInteger, nullable=False),
    CheckConstraint("kind IN ('holiday', 'lebaran', 'flood', 'closure')", name="kind"),
)

leave = Table(
    "leave",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("unit", ForeignKey("units.unit"), nullable=False, index=True),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),  # included
    Column("known_from_ms", BigInteger, nullable=False),
)

declared_lost = Table(
    "declared_lost",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device", String(16), nullable=False, index=True),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),  # included
    Column("known_from_ms", BigInteger, nullable=False),
)

# ---- the ledger: what arrived, each (device, outbox, seq) once -------------------------------------------------------

streams = Table(
    "streams",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device", String(16), nullable=False),
    Column("outbox", String(36), nullable=False),
    Column("answered", Text, nullable=False, default="[]"),  # spans of seqs stored, held, rejected or closed as lost
    Column("dropped", Text, nullable=False, default="[]"),  # of these, the spans that are gone for ever
    Column("conflicts", Text, nullable=False, default="[]"),  # spans of seqs that came again with other bytes
    Column("highest_told", BigInteger, nullable=False, default=0),  # last_seq of birth and heartbeat
    Column("confirmed_told", BigInteger, nullable=False, default=0),
    Column("closed_at_seq", BigInteger),  # last_seq of its outbox_closed event
    Column("first_ms", BigInteger, nullable=False),
    Column("gap_since_ms", BigInteger),  # since when something below the highest known seq is missing
    Column("asked_ms", BigInteger),  # when `resume` was last published
    UniqueConstraint("device", "outbox"),
)

REJECTED = text("state = 'rejected'")

arrivals = Table(
    "arrivals",
    metadata,
    Column("stream", ForeignKey("streams.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("digest", String(32), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("state", String(8), nullable=False),
    Column("reason", String(40)),  # why held or rejected
    Column("at_ms", BigInteger),  # as the record says; neighbours date an undated tap by it
    Column("mono_ms", BigInteger),
    Column("boot", String(36)),
    Column("dated", Boolean),
    Column("arrived_ms", BigInteger, nullable=False, index=True),
    CheckConstraint("state IN ('stored', 'held', 'rejected')", name="state"),
    # Few among millions, counted every quarter of an hour.
    Index("ix_arrivals_rejected", "stream", sqlite_where=REJECTED, postgresql_where=REJECTED),
)

sightings = Table(
    "sightings",
    metadata,
    Column("stream", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("device", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("uncertainty_ms", BigInteger, nullable=False, default=0),
    Column("pseudonym", String(64), nullable=False, index=True),
    Column("outcome", String(8), nullable=False, index=True),
    Column("unit", String(64)),
    Column("estate", String(8), nullable=False),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("first_day", Date),  # of an uncertain tap: the days on which it may have been made with a valid card
    Column("last_day", Date),
    ForeignKeyConstraint(["stream", "seq"], ["arrivals.stream", "arrivals.seq"]),
    CheckConstraint("outcome IN ('known', 'unknown', 'test')", name="outcome"),
    Index("ix_sightings_device_at_ms", "device", "at_ms"),
)

held = Table(
    "held",
    metadata,
    Column("stream", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    Column("reason", String(40), nullable=False, index=True),
    Column("since_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(["stream", "seq"], ["arrivals.stream", "arrivals.seq"]),
)

device_hours = Table(
    "device_hours",
    metadata,
    Column("stream", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("device", String(16), nullable=False),
    Column("hour_ms", BigInteger, nullable=False),
    Column("able_min", Integer, nullable=False),
    Column("dated", Boolean, nullable=False),
    ForeignKeyConstraint(["stream", "seq"], ["arrivals.stream", "arrivals.seq"]),
    Index("ix_device_hours_device_hour_ms", "device", "hour_ms"),
)

device_events = Table(
    "device_events",
    metadata,
    Column("stream", BigInteger, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("device", String(16), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("event", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("arrived_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(["stream", "seq"], ["arrivals.stream", "arrivals.seq"]),
    Index("ix_device_events_device_at_ms", "device", "at_ms"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("source", String(8), nullable=False),  # mqtt, record, sql, history
    Column("topic", Text, nullable=False),
    Column("outbox", String(36)),
    Column("seq", BigInteger),
    Column("reason", String(40), nullable=False, index=True),
    Column("explanation", Text, nullable=False),
    Column("payload", Text, nullable=False),  # base64 of the bytes as they came
    Column("replayed_ms", BigInteger),
)

# ---- what was counted: kept long after the sightings are gone --------------------------------------------------------

presence = Table(
    "presence",
    metadata,
    Column("unit", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("device", String(16), primary_key=True),
    Column("taps", Integer, nullable=False),
    Index("ix_presence_day", "day"),
    Index("ix_presence_device_day", "device", "day"),
)

# Of the taps of `presence`, those that may have been made on other days than the one recorded: on which, with a card
# that was valid. If the recorded day is not among these, the card was not valid on it.
presence_spans = Table(
    "presence_spans",
    metadata,
    Column("unit", String(64), primary_key=True),
    Column("day", Date, primary_key=True),  # as recorded
    Column("device", String(16), primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, primary_key=True),
    Column("taps", Integer, nullable=False),
)

hour_counts = Table(
    "hour_counts",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("known", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("late", Integer, nullable=False, default=0),  # of these, arrived after their day was closed
)

quarter_counts = Table(
    "quarter_counts",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("quarter_ms", BigInteger, primary_key=True),
    Column("known", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
)

dirty_days = Table(
    "dirty_days",
    metadata,
    Column("estate", String(8), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("touched", BigInteger, nullable=False, default=1),  # rises with each touch: only what was read is cleared
)

# Never cleared, unlike dirty days: whoever remembers what a day was like sees whether it still is.
day_changes = Table(
    "day_changes",
    metadata,
    Column("estate", String(8), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("changes", BigInteger, nullable=False),
)

completed_days = Table(
    "completed_days",
    metadata,
    Column("estate", String(8), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("completed_ms", BigInteger, nullable=False),  # when it was first seen that every record had arrived
)

online_hours = Table(
    "online_hours",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("hour_ms", BigInteger, primary_key=True),
    Column("minutes", Integer, nullable=False),  # minute rows in which it was online
)

# ---- signs of life ---------------------------------------------------------------------------------------------------

heard = Table(
    "heard",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("arrived_ms", BigInteger, nullable=False),  # moves forward only
    Column("heartbeat", Text),  # the last one, as it came
    Column("session", BigInteger, nullable=False, default=0),
    Column("online", Boolean, nullable=False),
    Column("status_ms", BigInteger),
    Column("beat_ms", BigInteger),  # when `heartbeat` came: a birth after it moves arrived_ms alone
)

boots = Table(
    "boots",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("boot", String(36), primary_key=True),
    Column("base_ms", BigInteger, nullable=False),  # the least (arrived - uptime) heard of this boot
    Column("first_ms", BigInteger, nullable=False),
)

proofs = Table(
    "proofs",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("outbox", String(36), primary_key=True),
    Column("last_seq", BigInteger, primary_key=True),
    Column("boot", String(36), primary_key=True),
    Column("uptime_s", BigInteger, nullable=False),  # the latest at which this was still the last seq
)

# ---- the programs' own state -----------------------------------------------------------------------------------------

leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(32), primary_key=True),  # registry_changed, sweep_finished, minutes_written, ...
    Column("value", BigInteger, nullable=False),
)

machine_silences = Table(
    "machine_silences",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("estate", String(8), primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),  # the last minute for which it was told
)

shown_ledgers = Table(
    "shown_ledgers",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("quarter_ms", BigInteger, nullable=False),  # what is shown until this quarter-hour is over
    Column("made", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("missing", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
)
