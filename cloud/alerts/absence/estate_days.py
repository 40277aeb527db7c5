"""What the days of one estate were like, read when a period asks for them, and only those no memory holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cloud import days
from cloud.alerts.absence.memory import Day, OfEstate
from cloud.alerts.absence.periods import Period
from cloud.days import EstateDay
from cloud.records import Connection, facts, registry, tallies
from cloud.records.facts import Window
from cloud.records.registry import Installation


@dataclass(frozen=True, slots=True)
class EstateDays:
    """The days of one estate."""

    connection: Connection
    bare: days.Estate
    """Its machines without their minutes."""
    places: Mapping[str, Sequence[Installation]]
    changes: Mapping[date, int]
    known: dict[date, Day]

    @classmethod
    def open(cls, connection: Connection, code: str, remembered: OfEstate, changes: Mapping[date, int]) -> EstateDays:
        """Of estate *code*, which must be registered; what is *remembered* of it is used and added to."""
        bare = facts.bare_estate(connection, code)
        places = registry.installations_of(connection, [machine.device for machine in bare.machines])
        return cls(connection, bare, places, changes, remembered.of(bare, changes))

    def of(self, period: Period) -> list[EstateDay]:
        """What each day of *period* was like, by its policy."""
        return [each.facts for each in self._days(period)]

    def taps(self, period: Period) -> int:
        """Taps at its machines in *period*."""
        return sum(each.taps for each in self._days(period))

    def _days(self, period: Period) -> list[Day]:
        missing = [day for day in period.days if day not in self.known]
        if missing:
            self._read(Window(missing[0], missing[-1]), period)
        return [self.known[day] for day in period.days]

    def _read(self, window: Window, period: Period) -> None:
        minutes = facts.able_minutes(self.connection, self.places, within=window)
        machines = tuple(replace(each, able=minutes.get(each.device, {})) for each in self.bare.machines)
        estate = replace(self.bare, machines=machines)
        taps = tallies.by_hour(self.connection, self.places, within=window)
        counted = dict.fromkeys(window.days, 0)
        for device, hours in taps.items():
            for hour, each in hours.items():
                if tallies.home(self.places[device], hour, hour + days.HOUR) == self.bare.estate:
                    counted[days.day_of(hour)] += each.known + each.unknown
        for day in window.days:
            of = days.estate_day(estate, day, period.absence.days())
            self.known[day] = Day(self.changes.get(day, 0), of, counted[day])
