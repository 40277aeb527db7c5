"""One tap, all the way and back, through real parts: card, pcscd, outbox, TLS broker, ingester, InfluxDB, PostgreSQL.

Run with -s to see how long each step took.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy
from rich.console import Console
from rich.table import Table

from contract.topics import DeviceId
from demo.servers.pcscd import Pcscd
from demo.servers.system import Program, System, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

HOLDER = bytes.fromhex("04A1B2C3D4E5F6")
STRANGER = bytes.fromhex("DEADBEEF")
HOME, OTHER_HOME = "DMG/B/03/12", "DMG/B/03/13"
CARDS = f"""\
card,unit,role,obliged,valid_from,valid_to,ended_because,known_from
{HOLDER.hex().upper()},{HOME},holder,1,2025-01-01,,,
"""
REGISTRY = {
    "estates.csv": "estate,name,lat,lon,go_live\nDMG,Pesakih (Daan Mogot),-6.1618,106.7166,2026-01-01\n",
    "units.csv": f"unit,estate\n{HOME},DMG\n{OTHER_HOME},DMG\n",
    "tenancies.csv": f"unit,start,end,known_from\n{HOME},2025-01-01,,\n{OTHER_HOME},2025-01-01,,\n",
    "cards.csv": CARDS,
    "installations.csv": "device,estate,installed,removed,service_hours,known_from\n"
    "DMG-01,DMG,2026-01-01T00:00:00+07:00,,,\n",
}
NOW_REGISTERED = {"cards.csv": f"{CARDS}{STRANGER.hex().upper()},{OTHER_HOME},holder,1,2026-01-01,,,\n"}


class Spine:
    """A machine with a real reader, in a system with one ingester; and what can be seen of its taps."""

    def __init__(self, system: System, machine: Program, pcscd: Pcscd, records: sqlalchemy.Connection) -> None:
        self.system = system
        self.machine = machine
        self.pcscd = pcscd
        self._records = records

    def select(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self._records.execute(sqlalchemy.text(query))]

    def points(self) -> list[tuple[object, object]]:
        rows = self.system.influx.query("taps", 'SELECT known, unknown FROM "tap"')
        return [(row["known"], row["unknown"]) for row in rows]

    def tap(self, uid: bytes, light: str) -> dict[str, float]:
        """Lay a card on, watch every station of its tap, take it away; seconds from the card to each of them."""
        with ThreadPoolExecutor() as watchers, self.pcscd.card(uid):
            laid = time.monotonic()
            watch = {
                "card → TERSIMPAN": lambda: self.machine.shown("stored", laid),
                "card → InfluxDB": self.points,
                f"card → {light}": lambda: self.machine.shown(light, laid),
            }
            seen = {name: watchers.submit(until, condition, name) for name, condition in watch.items()}
            steps = {"card → PostgreSQL": until(lambda: self.select("SELECT 1 FROM sightings"), "SQL") - laid}
            steps |= {name: at.result() - laid for name, at in seen.items()}
            time.sleep(0.5)  # pcscd looks for the card every 0.4 s: it must see it before it leaves
        return steps


@pytest.fixture
def spine(system: System, pcscd: Pcscd, records: sqlalchemy.Connection) -> Spine:
    system.register(REGISTRY)
    system.ingester()
    return Spine(system, system.machine(DeviceId("DMG-01"), "pcsc:"), pcscd, records)


def test_a_registered_card_is_stored_and_its_confirmation_lights_the_machine(spine: Spine) -> None:
    _print("a registered card", spine.tap(HOLDER, "confirmed"))
    assert spine.select("SELECT unit, outcome FROM sightings") == [(HOME, "known")]
    assert spine.select("SELECT unit, device, taps FROM presence") == [(HOME, "DMG-01", 1)]
    assert spine.points() == [(1, 0)]


def test_an_unregistered_card_is_stored_and_its_resident_sent_to_the_office(spine: Spine) -> None:
    _print("an unregistered card", spine.tap(STRANGER, "unknown_card"))
    assert spine.select("SELECT unit, outcome FROM sightings") == [(None, "unknown")]
    assert spine.select("SELECT * FROM presence") == []
    assert spine.points() == [(0, 1)]


def test_a_card_registered_afterwards_makes_its_earlier_taps_count(spine: Spine) -> None:
    spine.tap(STRANGER, "unknown_card")
    begun = time.monotonic()
    spine.system.register(NOW_REGISTERED)
    counted = until(lambda: spine.select("SELECT unit FROM presence"), "the earlier tap's presence")
    rewritten = until(lambda: spine.points() == [(1, 0)], "the earlier tap's point, rewritten")
    _print("registered afterwards", {"→ presence": counted - begun, "→ InfluxDB": rewritten - begun})
    assert spine.select("SELECT unit, outcome FROM sightings") == [(OTHER_HOME, "known")]
    assert spine.select("SELECT sum(known), sum(unknown) FROM hour_counts") == [(1, 0)]


def test_a_card_tapped_while_the_network_is_down_is_stored_when_it_returns(spine: Spine) -> None:
    spine.system.broker.kill()
    until(lambda: spine.machine.shown("ready_offline"), "the machine's offline screen")
    with spine.pcscd.card(HOLDER):
        until(lambda: spine.machine.shown("stored_offline"), "TERSIMPAN — akan dikirim saat jaringan pulih")
        time.sleep(0.5)
    assert spine.select("SELECT * FROM sightings") == []
    back = time.monotonic()
    spine.system.broker.start()
    stored = until(lambda: spine.select("SELECT unit FROM presence"), "the tap's presence", patience_s=60)
    _print("tapped without network", {"network back → PostgreSQL": stored - back})
    assert spine.points() == [(1, 0)]


def _print(title: str, steps: dict[str, float]) -> None:
    table = Table("step", "ms", title=title)
    for name, seconds in sorted(steps.items(), key=lambda step: step[1]):
        table.add_row(name, f"{seconds * 1000:.0f}")
    Console().print(table)
