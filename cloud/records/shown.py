"""What minute rows have shown, so that whichever ingester writes the next goes on: ledgers, and silences that last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, select

from cloud.records.schema import machine_silences, shown_ledgers
from cloud.records.standing import Totals
from cloud.records.upserts import Row, insert_into


@dataclass(frozen=True, slots=True, order=True)
class Silence:
    """A machine not heard at its estate since then, and the last minute for which that was told."""

    device: str
    estate: str
    since_ms: int
    until_ms: int


def ledgers(connection: Connection, *, quarter_ms: int) -> dict[str, Totals]:
    """By machine, what is shown in the quarter-hour that begins at *quarter_ms*."""
    table = shown_ledgers
    return {
        row.device: Totals(row.made, row.stored, row.missing, row.held, row.rejected)
        for row in connection.execute(select(table).where(table.c.quarter_ms == quarter_ms))
    }


def show(connection: Connection, totals: Mapping[str, Totals], *, quarter_ms: int) -> None:
    """Fix what these machines show in this quarter-hour; one that shows something in it already goes on with that."""
    rows: list[Row] = [
        {"device": device, "quarter_ms": quarter_ms, **asdict(totals[device])} for device in sorted(totals)
    ]
    if not rows:
        return
    statement = insert_into(connection, shown_ledgers)
    changes = {name: statement.excluded[name] for name in rows[0] if name != "device"}
    is_over = shown_ledgers.c.quarter_ms != quarter_ms
    connection.execute(
        statement.on_conflict_do_update(index_elements=["device"], set_=changes, where=is_over), list(rows)
    )


def open_silences(connection: Connection) -> list[Silence]:
    """Those that last."""
    query = select(machine_silences).order_by(*machine_silences.primary_key)
    return [Silence(row.device, row.estate, row.since_ms, row.until_ms) for row in connection.execute(query)]


def keep(connection: Connection, lasting: Iterable[Silence]) -> None:
    """Remember these as lasting, each until its last minute."""
    rows = [asdict(each) for each in sorted(lasting)]
    if rows:
        statement = insert_into(connection, machine_silences)
        changes = {"until_ms": statement.excluded.until_ms}
        keys = [column.name for column in machine_silences.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)


def forget(connection: Connection, ended: Iterable[Silence]) -> None:
    """These are over, and written as such."""
    names = ("device", "estate", "since_ms")
    rows = [{f"the_{name}": getattr(each, name) for name in names} for each in sorted(ended)]
    if rows:
        connection.execute(
            delete(machine_silences).where(*(machine_silences.c[name] == bindparam(f"the_{name}") for name in names)),
            rows,
        )
