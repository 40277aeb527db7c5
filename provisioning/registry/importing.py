"""A folder of files: read all, then plan and write in one transaction; or say all that is wrong and do nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cloud.records import Connection, Records, counts, registrar, registry
from cloud.records.pseudonyms import Pepper
from provisioning.registry import planning, reading, touched
from provisioning.registry.planning import Plan, RegistryRefused
from provisioning.registry.reading import Fault, Line
from provisioning.registry.rows import KINDS

_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
Lines = Mapping[str, Sequence[Line]]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do; `version` is the registry's afterwards."""

    plan: Plan
    version: int


def read_folder(folder: Path, *, pepper: Pepper | None) -> Lines:
    """The lines of the registry files in *folder*, by table. Raises `RegistryRefused` with all that is wrong."""
    files = {path.name: path for path in folder.glob("*.csv")}
    faults = [
        Fault(name, 0, "", f"is no file of the registry; known are {', '.join(kind.file for kind in KINDS)}")
        for name in files.keys() - {kind.file for kind in KINDS}
    ]
    if not files:
        faults.append(Fault(str(folder), 0, "", "holds no file of the registry, such as estates.csv"))
    sheets = {kind: reading.read(_bytes(files[kind.file]), kind, pepper=pepper) for kind in KINDS if kind.file in files}
    faults += [fault for sheet in sheets.values() for fault in sheet.faults]
    if faults:
        raise RegistryRefused(faults)
    return {kind.table: sheet.lines for kind, sheet in sheets.items()}


def preview(records: Records, lines: Lines, *, now: datetime, history: bool = False) -> Imported:
    """What `carry_out` would do. Raises what it raises."""

    def look(connection: Connection) -> Imported:
        plan = _plan(connection, lines, now=now, history=history)
        return Imported(plan, registry.version(connection))

    return records.read(look)


def carry_out(records: Records, lines: Lines, *, now: datetime, history: bool = False) -> Imported:
    """Bring *lines* into the registry, all or none. Raises `RegistryRefused`, `RecordsUnavailable`, `BadData`."""

    def work(connection: Connection) -> Imported:
        registry.hold(connection)
        plan = _plan(connection, lines, now=now, history=history)
        if not plan.changes:
            return Imported(plan, registry.version(connection))
        changes = [(change.table, change.after, change.before is None) for change in plan.changes]
        days = touched.days(plan, today=counts.local_day(_ms(now)))
        return Imported(plan, registrar.write(connection, changes, touched=days, now_ms=_ms(now)))

    return records.write(work)


def _plan(connection: Connection, lines: Lines, *, now: datetime, history: bool) -> Plan:
    return planning.plan(registrar.everything(connection), lines, now_ms=_ms(now), history=history)


def _ms(now: datetime) -> int:
    return (now - _EPOCH) // timedelta(milliseconds=1)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RegistryRefused([Fault(path.name, 0, "", f"cannot be read: {error.strerror}")]) from error
