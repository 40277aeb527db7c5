"""Marks: single numbers that several programs agree on, such as how far the minute rows are written."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from cloud.records.schema import marks
from cloud.records.upserts import insert_into, insert_missing

REGISTRY_CHANGED: Final = "registry_changed"
"""Rises with every change of the registry, in the transaction of that change."""
SWEEP_FINISHED: Final = "sweep_finished"
"""The `registry_changed` up to which everything stored has been resolved again."""
MINUTES_WRITTEN: Final = "minutes_written"
"""The last minute for which rows were written, in ms."""
LISTENING_SINCE: Final = "listening_since"
LISTENING_UNTIL: Final = "listening_until"
"""Between these two instants (ms) some ingester listened to the broker, without a break."""


class StaleFacts(Exception):
    """The registry changed after it was read: read it again, and decide again."""


def read(connection: Connection, name: str) -> int:
    """The value of mark *name*; 0 before it was first set."""
    return connection.execute(select(marks.c.value).where(marks.c.name == name)).scalar_one_or_none() or 0


def put(connection: Connection, name: str, value: int) -> None:
    """Set mark *name*."""
    statement = insert_into(connection, marks).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def read_locked(connection: Connection, name: str) -> int:
    """The value of mark *name*, which nobody else can change until this transaction ends."""
    insert_missing(connection, marks, [{"name": name, "value": 0}])
    statement = select(marks.c.value).where(marks.c.name == name)
    return int(connection.execute(statement.with_for_update()).scalar_one())


def require(connection: Connection, name: str, value: int) -> None:
    """Hold mark *name* at *value* until this transaction ends. Raises `StaleFacts` when it has moved.

    A change of the registry either waits for us, and then sweeps over what we wrote; or we see it here.
    """
    insert_missing(connection, marks, [{"name": name, "value": 0}])
    statement = select(marks.c.value).where(marks.c.name == name)
    if connection.execute(statement.with_for_update(read=True)).scalar_one() != value:
        raise StaleFacts(f"{name} moved while records were being resolved; they are resolved again")
