"""Two ingesters share one machine's batches and agree; one is killed, the other takes over; nobody is called silent."""

import re
import time
from collections.abc import Callable

import pytest
import sqlalchemy

from contract.topics import DeviceId
from demo.servers.system import Program, System, until
from edge.readers.simulated import Finger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

TAPS = 300
REGISTRY = {
    "estates.csv": "estate,name,lat,lon,go_live\nDMG,Pesakih (Daan Mogot),-6.1618,106.7166,2026-01-01\n",
    "installations.csv": "device,estate,installed,removed,service_hours,known_from\n"
    "DMG-01,DMG,2026-01-01T00:00:00+07:00,,,\n",
}
Select = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def select(records: sqlalchemy.Connection) -> Select:
    return lambda query: [tuple(row) for row in records.execute(sqlalchemy.text(query))]


def test_two_ingesters_agree_and_the_survivor_calls_nobody_silent(fast: System, select: Select) -> None:
    fast.register(REGISTRY)
    ingesters = {name: fast.ingester(name) for name in ("ingest-1", "ingest-2")}
    reader = fast.folder / "reader.sock"
    fast.machine(DeviceId("DMG-01"), f"sim:{reader}", HADIR_HEARTBEAT_S="0.5", HADIR_SAME_CARD_S="0.001")

    _lay_cards(Finger(reader), range(TAPS))
    until(lambda: select("SELECT count(*) FROM sightings") == [(TAPS,)], "every tap in SQL")
    until(lambda: all(_has_taken_records(fast, name) for name in ingesters), "both being dealt this machine's batches")
    _assert_positions_agree(select)

    until(lambda: len(_minutes(fast)) >= 3, "minute rows", patience_s=60)
    holder = _kill_the_lease_holder(ingesters, select)
    _lay_cards(Finger(reader), range(TAPS, 2 * TAPS))
    until(lambda: select("SELECT count(*) FROM sightings") == [(2 * TAPS,)], "every tap in SQL, by the survivor")
    _assert_positions_agree(select)
    until(lambda: _lease(select) not in (None, holder), "the lease in other hands", patience_s=60)
    taken_over = len(_minutes(fast))
    until(lambda: len(_minutes(fast)) >= taken_over + 5, "minute rows by the survivor", patience_s=60)
    _assert_never_silent_without_reason(fast)


def _lay_cards(finger: Finger, numbers: range) -> None:
    for number in numbers:
        finger.lay(b"\x04" + number.to_bytes(6, "big"))
        time.sleep(0.002)


def _assert_positions_agree(select: Select) -> None:
    """The position is exactly what the ledger holds, without a gap, and every tap is in it once."""
    ((stream, answered),) = select("SELECT id, answered FROM streams")
    ((first, last, rows),) = select(f"SELECT min(seq), max(seq), count(*) FROM arrivals WHERE stream = {stream}")
    assert answered == f"[[{first},{last}]]"
    assert (first, rows) == (1, last)
    assert select("SELECT sum(known + unknown) FROM hour_counts") == select("SELECT count(*) FROM sightings")


def _has_taken_records(system: System, instance: str) -> bool:
    query = f"SELECT max(msgs_total) AS taken FROM pipeline WHERE stage = 'store' AND instance = '{instance}'"
    return any(row["taken"] for row in system.influx.query("ops", query))


def _minutes(system: System) -> list[tuple[int, int]]:
    """(minute, online) of the machine's rows, oldest first."""
    rows = system.influx.query("ops", "SELECT online FROM machine")
    return [(int(str(row["time"])) // 60_000_000_000, int(str(row["online"]))) for row in rows]


def _lease(select: Select) -> object:
    rows = select("SELECT holder FROM leases WHERE name = 'chores'")
    return rows[0][0] if rows else None


def _kill_the_lease_holder(ingesters: dict[str, Program], select: Select) -> str:
    holder = str(_lease(select))
    ingesters[holder].kill()
    return holder


def _assert_never_silent_without_reason(system: System) -> None:
    """The machine sent heartbeats all the time: no row may say otherwise, and no minute is missing in between."""
    rows = _minutes(system)
    assert [online for _, online in rows] == [1] * len(rows)
    numbers = [minute for minute, _ in rows]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert not re.search("Traceback", (system.folder / "ingest-1.log").read_text())
