"""The tables of what is remembered of signs of life beyond the last: lapses, and the last few readings.

Readings lie in rings: a later one takes the place of one that came a round before. All of it is small and short-lived.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, String, Table

from cloud.records.schema import metadata

lapses = Table(
    "lapses",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),  # the last sign of life before it
    Column("until_ms", BigInteger, nullable=False),  # the first after it
)

clock_readings = Table(
    "clock_readings",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("offset_ms", BigInteger, nullable=False),  # machine's clock minus server's
)

disk_readings = Table(
    "disk_readings",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("slot", Integer, primary_key=True),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("free_pct", Float, nullable=False),
)

reader_faults = Table(
    "reader_faults",
    metadata,
    Column("device", String(16), primary_key=True),
    Column("since_ms", BigInteger, nullable=False),  # since when every heartbeat has told of a reader that fails
)
