"""What the days of one estate were like, read when a period asks for them, and only those no memory holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cloud import days
from cloud.alerts.absence.memory import Remembered
from cloud.alerts.absence.periods import Period
from cloud.days import EstateDay
from cloud.records import Connection, absence, facts, registry
from cloud.records.facts import Window
from cloud.records.registry import Installation


@dataclass(frozen=True, slots=True)
class EstateDays:
    """The days of one estate."""

    connection: Connection
    bare: days.Estate
    """Its machines without their minutes."""
    places: Mapping[str, Sequence[Installation]]
    known: Remembered

    @classmethod
    def open(cls, connection: Connection, code: str, known: Remembered, changes: Mapping[date, int]) -> EstateDays:
        """Of estate *code*, which must be registered; what is *known* of its days is used and added to."""
        bare = facts.bare_estate(connection, code)
        places = registry.installations_of(connection, [machine.device for machine in bare.machines])
        known.renew(bare, changes)
        return cls(connection, bare, places, known)

    def of(self, period: Period) -> list[EstateDay]:
        """What each day of *period* was like, by its policy."""
        missing = [day for day in period.days if day not in self.known.days]
        if missing:
            window = Window(missing[0], missing[-1])
            minutes = facts.able_minutes(self.connection, self.places, within=window)
            machines = tuple(replace(each, able=minutes.get(each.device, {})) for each in self.bare.machines)
            estate = replace(self.bare, machines=machines)
            self.known.days |= {day: days.estate_day(estate, day, period.absence.days()) for day in window.days}
        return [self.known.days[day] for day in period.days]

    def taps(self, period: Period) -> int:
        """Taps at its machines in *period*."""
        missing = [day for day in period.days if day not in self.known.taps]
        if missing:
            window = Window(missing[0], missing[-1])
            found = absence.taps_by_day(self.connection, self.bare.estate, self.places, within=window)
            self.known.taps |= {day: found.get(day, 0) for day in window.days}
        return sum(self.known.taps[day] for day in period.days)
