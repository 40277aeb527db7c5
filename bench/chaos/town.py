"""Who is registered where in the rig's town, as files for the registry import, and what that makes of a tap. Pure.

Of five cards one is unknown, and now and then one is a technician's test card. Scenarios change the town as an officer
would, by importing it again.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bench.chaos.book import Laid, uid_of
from bench.chaos.score import Meaning, local_day
from contract.topics import DeviceId

MACHINES: Final = (DeviceId("DMG-01"), DeviceId("DMG-02"), DeviceId("RWB-01"))
ESTATES: Final = ("DMG", "RWB")
UNITS: Final = 40
LONG_AGO: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Registration:
    """A card is good for *unit* (None: a test card) on these days, both included."""

    unit: str | None
    first: date
    last: date | None = None

    def covers(self, day: date) -> bool:
        """Whether it counts on that day."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Place:
    """A machine stood at *estate* from one instant until just before another."""

    estate: str
    from_ms: int
    until_ms: int | None = None


@dataclass
class Town:
    """`cards` of them can be laid on."""

    cards: int
    since: datetime
    machines: Sequence[DeviceId] = MACHINES
    registered: dict[int, list[Registration]] = field(default_factory=dict)
    """Only where it differs from what everybody has."""
    places: dict[DeviceId, list[Place]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for device in self.machines:
            self.places.setdefault(device, [Place(device.partition("-")[0], ms_of(self.since))])

    def registrations(self, card: int) -> list[Registration]:
        """Whose *card* is and was."""
        if card in self.registered:
            return self.registered[card]
        if card % 5 == 4:
            return []
        day = local_day(ms_of(self.since))
        if card % 50 == 7:
            return [Registration(None, day)]
        return [Registration(f"{ESTATES[card % 2]}/A/{card % UNITS:02}", day)]

    def meaning(self, laid: Laid) -> Meaning:
        """What the registry, as it stands now, makes of that tap."""
        estates = [
            place.estate
            for place in self.places[laid.device]
            if place.from_ms <= laid.from_ms and (place.until_ms is None or laid.from_ms < place.until_ms)
        ]
        valid = [one for one in self.registrations(laid.card) if one.covers(local_day(laid.from_ms))]
        if not valid:
            return Meaning("unknown", None, estates[-1])
        unit = valid[-1].unit
        return Meaning("test" if unit is None else "known", unit, estates[-1])

    def files(self) -> Mapping[str, str]:
        """The registry as files."""
        day, since = local_day(ms_of(self.since)).isoformat(), self.since.isoformat()
        units = [f"{estate}/{block}/{number:02}" for estate in ESTATES for block in "AB" for number in range(UNITS)]
        cards = [(card, one) for card in range(self.cards) for one in self.registrations(card)]
        return {
            "estates.csv": _table("estate,name,go_live", ((estate, estate, day) for estate in ESTATES)),
            "units.csv": _table("unit,estate", ((unit, unit.partition("/")[0]) for unit in units)),
            "tenancies.csv": _table("unit,start,known_from", ((unit, day, since) for unit in units)),
            "cards.csv": _table(
                "card,unit,role,obliged,valid_from,valid_to,ended_because",
                (
                    (uid_of(card).hex(), one.unit or "", "holder" if one.unit else "test", 1 if one.unit else 0,
                     one.first, one.last or "", "replaced" if one.last else "")
                    for card, one in cards
                ),
            ),
            "installations.csv": _table(
                "device,estate,installed,removed",
                (
                    (device, place.estate, _instant(place.from_ms), _instant(place.until_ms))
                    for device, places in self.places.items()
                    for place in places
                ),
            ),
        }  # fmt: skip


def ms_of(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def _instant(ms: int | None) -> str:
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def _table(columns: str, rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.split(","))
    writer.writerows(rows)
    return text.getvalue()
