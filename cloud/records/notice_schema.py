"""The tables of people and of what they are told. Instants are milliseconds since 1970 UTC (`..._ms`).

A notice is one thing to be said to one person; a message carries one or several of them to one address; an attempt is
one call of a channel, written before the call is made.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from cloud.records.schema import RowId, metadata

# ---- whom we know ----------------------------------------------------------------------------------------------------

people = Table(
    "people",
    metadata,
    Column("person", String(32), primary_key=True),  # an opaque name such as tek-03: it may appear in a chat
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)

duties = Table(
    "duties",
    metadata,
    Column("person", ForeignKey("people.person"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("scope", String(8), primary_key=True),  # an estate, or * for all
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("person", ForeignKey("people.person"), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("rank", Integer, nullable=False),  # the lowest is tried first
    Column("active", Boolean, nullable=False),
    Column("disabled_ms", BigInteger),
    Column("disabled_because", Text),
    UniqueConstraint("person", "channel", "address"),
)

# ---- what they are told ----------------------------------------------------------------------------------------------

messages = Table(
    "messages",
    metadata,
    Column("id", RowId, primary_key=True),  # stable over every repeat: Message-ID, Idempotency-Key
    Column("person", ForeignKey("people.person"), nullable=False),
    Column("address", ForeignKey("addresses.id"), nullable=False),
    Column("state", String(12), nullable=False),  # open, accepted, delivered, unsure, released
    Column("made_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger, nullable=False),
    Column("holder", String(64), nullable=False, default=""),
    Column("lease_until_ms", BigInteger, nullable=False, default=0),
    Column("tries", Integer, nullable=False, default=0),  # that failed for a while
    Column("unknowns", Integer, nullable=False, default=0),  # attempts of which nobody knows whether they arrived
    Column("amends", String(200)),  # the channel's name of the message that this one rewrites
    Column("ended_ms", BigInteger),
    Index("ix_messages_open", "person", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
)

notices = Table(
    "notices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("person", ForeignKey("people.person"), nullable=False),
    Column("flag", String(24), index=True),
    Column("said", String(16), nullable=False),  # opened, escalated, closed, ..., digest, test
    Column("severity", String(2), nullable=False),
    Column("facts", Text, nullable=False),  # JSON; what the text is made of
    Column("made_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # waiting, bound, told, unsure, moot, unreached
    Column("because", Text),  # why it is moot or reached nobody
    Column("ended_ms", BigInteger),
    Column("message", ForeignKey("messages.id"), index=True),
    Column("by", String(16)),  # the channel that suits it best
    Column("shunned", Text, nullable=False, default=""),  # addresses that did not take it, by id
    Column("is_repeat", Boolean, nullable=False),  # it may have arrived already
    Index(
        "ix_notices_waiting",
        "due_ms",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("message", ForeignKey("messages.id"), nullable=False, index=True),
    Column("person", String(32), nullable=False),
    Column("address", ForeignKey("addresses.id"), nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("is_repeat", Boolean, nullable=False),
    Column("outcome", String(16)),  # none while it runs, and for ever when its sender died
    Column("explanation", Text),
    Column("ended_ms", BigInteger),
    Column("reference", String(200), index=True),  # the channel's own name of the message
    Column("receipt", String(16)),
    Column("receipt_ms", BigInteger),
    Index("ix_attempts_person_started_ms", "person", "started_ms"),
)

channel_holds = Table(
    "channel_holds",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),  # then it is tried again
    Column("reason", Text, nullable=False),
)
