"""Rule 1: how many minutes a machine could take a tap. Network loss takes nothing away; unknown counts as not able."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from cloud.days.jakarta import HOUR, MINUTE, DaySpan, Span, covers, hours_of, merged, overlap, span_of, starts
from cloud.days.service import ALWAYS, ServiceHours


@dataclass(frozen=True, slots=True)
class HourRecord:
    """A machine's own word on one hour: `hour_ms` is its start, `trusted` whether its clock could be believed."""

    outbox: str
    seq: int
    hour_ms: int
    able_min: int
    trusted: bool


def able_by_hour(records: Iterable[HourRecord]) -> dict[int, int]:
    """Minutes by start of the hour: records under a trusted clock, each (outbox, seq) once, added up, at most 60."""
    minutes: dict[int, int] = {}
    for record in {(record.outbox, record.seq): record for record in records}.values():
        if record.trusted:
            minutes[record.hour_ms] = min(60, minutes.get(record.hour_ms, 0) + record.able_min)
    return minutes


@dataclass(frozen=True, slots=True)
class Stay:
    """A time a machine is installed at one estate."""

    installed_ms: int
    removed_ms: int | None = None
    service: ServiceHours = ALWAYS

    @property
    def span(self) -> Span:
        """From the installation to the removal; far in the future when it still stands."""
        return self.installed_ms, self.removed_ms if self.removed_ms is not None else 2**62


@dataclass(frozen=True, slots=True)
class Machine:
    """What is known of one machine as far as one estate is concerned."""

    device: str
    stays: tuple[Stay, ...]
    """Its installations at this estate."""
    able: Mapping[int, int] = field(default_factory=dict)
    """Minutes by start of the hour (`able_by_hour`); an hour that is missing = 0."""
    declared_lost: tuple[DaySpan, ...] = ()
    dropped: tuple[Span, ...] = ()
    """`from`, `to` of the `records_dropped` events that arrived, both included."""

    def is_there(self, day: date) -> bool:
        """Whether it is installed at any moment of *day*."""
        return any(overlap(stay.span, span_of(day)) > 0 for stay in self.stays)

    def counts(self, day: date) -> bool:
        """Whether it is installed during the whole of *day*."""
        begin, end = span_of(day)
        return any(first <= begin and end <= last for first, last in merged(stay.span for stay in self.stays))

    def is_lost(self, day: date) -> bool:
        """Whether what it held for *day* was given up or dropped."""
        begin, end = span_of(day)
        return covers(self.declared_lost, day) or any(first < end and begin <= last for first, last in self.dropped)

    def service_ms(self, day: date) -> list[int]:
        """Of each of its 24 hours, the ms of service while it is installed."""
        hours = [0] * 24
        begin_of_day = starts(day)
        for begin, end in self._windows(day):
            for number in range((begin - begin_of_day) // HOUR, (end - begin_of_day - 1) // HOUR + 1):
                hour = begin_of_day + number * HOUR
                hours[number] += min(end, hour + HOUR) - max(begin, hour)
        return hours

    def _windows(self, day: date) -> tuple[Span, ...]:
        """When it is in service on *day*, sorted and apart."""
        return merged(
            (max(stay.span[0], begin), min(stay.span[1], end))
            for stay in self.stays
            for begin, end in stay.service.windows(day)
        )

    def service(self, day: date) -> dict[int, Fraction]:
        """Minutes of service by start of the hour, while it is installed."""
        return {hour: Fraction(ms, MINUTE) for hour, ms in zip(hours_of(day), self.service_ms(day), strict=True)}

    def able_in_service(self, day: date) -> dict[int, Fraction]:
        """Able minutes by start of the hour, cut pro rata to the part of the hour inside service hours."""
        return within_service(self.able, self.service(day))


def within_service(minutes: Mapping[int, int], service: Mapping[int, Fraction]) -> dict[int, Fraction]:
    """*minutes* by hour, each cut pro rata to the part of its hour that *service* covers."""
    return {hour: minutes.get(hour, 0) * share / 60 for hour, share in service.items()}
