"""The tables of flags: what stands, what happened to it, who asked for silence, and who read about whom.

Flags and their events are numbered by the program, under one lock: an event's id is its place in the chain. Events are
only ever added; triggers refuse to change or remove one.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from cloud.records.schema import RowId, metadata

ALIVE = text("condition IN ('pending', 'open', 'recovering')")

flags = Table(
    "flags",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("number", String(16), unique=True),  # FLG-26-00417, given at its opening
    Column("kind", String(24), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("estate", String(8), nullable=False, default=""),  # empty = none
    Column("run", String(40), nullable=False, default=""),  # which episode of its condition
    Column("condition", String(12), nullable=False),
    Column("level", Integer, nullable=False),  # how far it has gone: watch 0, open 1, remind 2, case 3; -1 none of them
    Column("severity", String(2), nullable=False),
    Column("gate", String(12), nullable=False, default=""),  # what the mass gate, or its human, did with it
    Column("hushed", Text, nullable=False, default="{}"),  # JSON: by what it is hushed, and why
    Column(
        "told", String(8), nullable=False, default=""
    ),  # what people were told of it; told its opening, they hear its end
    Column("handling", String(12), nullable=False, default="new"),
    Column("owner", String(80), nullable=False, default=""),  # who acknowledged it, or to whom it is assigned
    Column("acknowledged_until_ms", BigInteger),
    Column("outcome", String(40), nullable=False, default=""),  # what was decided
    Column("decided_ms", BigInteger),
    Column("since_ms", BigInteger, nullable=False),  # when the condition began, as far as it is known
    Column("seen_ms", BigInteger, nullable=False),  # when we first saw it
    Column("opened_ms", BigInteger),
    Column("recovering_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Column("rule", String(40), nullable=False),
    Column("policy", String(40), nullable=False),
    Column("evidence", Text, nullable=False),  # JSON, as of its last change
    Index("uq_flags_living", "kind", "subject", unique=True, sqlite_where=ALIVE, postgresql_where=ALIVE),
    Index("ix_flags_estate_kind", "estate", "kind"),
    Index("ix_flags_ended_ms", "ended_ms"),
    Index("ix_flags_subject", "subject"),
    CheckConstraint(
        "condition IN ('pending', 'open', 'recovering', 'closed', 'retracted', 'superseded')", name="condition"
    ),
    CheckConstraint("handling IN ('new', 'acknowledged', 'assigned', 'decided')", name="handling"),
    CheckConstraint("gate IN ('', 'held', 'released', 'dismissed')", name="gate"),
    CheckConstraint("(number IS NULL) = (opened_ms IS NULL)", name="number_when_opened"),
    CheckConstraint("(ended_ms IS NULL) = (condition IN ('pending', 'open', 'recovering'))", name="ended"),
)

flag_events = Table(
    "flag_events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),  # 1, 2, 3, ...: a gap is a removal
    Column("flag", ForeignKey("flags.id"), index=True),  # none for a silence
    Column("at_ms", BigInteger, nullable=False),
    Column("what", String(20), nullable=False),
    Column("by", String(80), nullable=False, default=""),  # a person; empty = the rules
    Column("detail", Text, nullable=False),  # canonical JSON
    Column("previous", String(64), nullable=False),  # hash of the event before; empty for the first
    Column("hash", String(64), nullable=False, unique=True),
)

silences = Table(
    "flag_silences",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", String(24), nullable=False, default=""),  # empty = every kind
    Column("estate", String(8), nullable=False, default=""),  # empty = every estate
    Column("subject", String(64), nullable=False, default=""),  # empty = every subject
    Column("from_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("author", String(80), nullable=False),
    CheckConstraint("until_ms > from_ms", name="ends_after_it_begins"),
    CheckConstraint("reason <> '' AND author <> ''", name="reason_and_author"),
)

disclosures = Table(
    "disclosures",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("reader", String(80), nullable=False),
    Column("what", String(40), nullable=False),  # flag, flags, ...
    Column("subject", String(64), nullable=False, default=""),  # whose; empty = of several
    Column("purpose", Text, nullable=False, default=""),
    CheckConstraint("reader <> ''", name="reader"),
)
