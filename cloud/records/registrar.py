"""Writing the registry: whole rows of its eight tables, under a version that ingest holds while it stores.

What may be written is decided elsewhere; here it is read, written and announced in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from cloud.days import day_of
from cloud.records import dirty, registry
from cloud.records import schema as tables

Row = Mapping[str, Any]  # Any: whatever a column holds
TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        tables.estates,
        tables.units,
        tables.tenancies,
        tables.cards,
        tables.installations,
        tables.calendar,
        tables.leave,
        tables.declared_lost,
    )
}
"""In the order in which they refer to each other."""


def everything(connection: Connection) -> dict[str, list[Row]]:
    """All rows of the registry, by table; without the version that wrote them, which is ours alone."""
    return {name: _rows(connection, table) for name, table in TABLES.items()}


def write(
    connection: Connection,
    changes: Iterable[tuple[str, Row, bool]],
    *,
    touched: Iterable[tuple[str, date]],
    now_ms: int,
) -> int:
    """Write *changes* (table, row, is it new), mark the days they touch; the registry's new version."""
    version = registry.raise_version(connection, now_ms=now_ms)
    grouped = list(changes)
    for name, table in TABLES.items():
        stamp = {"changed": version} if "changed" in table.c else {}
        _insert(connection, table, [{**row, **stamp} for of, row, is_new in grouped if of == name and is_new])
        _update(connection, table, [{**row, **stamp} for of, row, is_new in grouped if of == name and not is_new])
    dirty.touch(connection, dirty.and_expecting(touched, today=day_of(now_ms)), now_ms=now_ms)
    return version


def _rows(connection: Connection, table: Table) -> list[Row]:
    columns = [column for column in table.c if column.name != "changed"]
    return [dict(row) for row in connection.execute(select(*columns)).mappings()]


def _insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _update(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if not rows:
        return
    key = next(iter(table.primary_key)).name
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0] if name != key}
    bound = [{f"new_{name}": value for name, value in row.items()} for row in rows]
    connection.execute(update(table).where(table.c[key] == bindparam(f"new_{key}")).values(values), bound)
