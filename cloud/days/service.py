"""When a machine can be reached, by weekday: read from text such as `Mon-Fri 08:00-16:00; Sat 08:00-12:00`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from cloud.days.jakarta import DAY, HOUR, MINUTE, Span, merged, starts

_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


class BadServiceHours(ValueError):
    """The text is no service hours; the message says what they look like."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:60]!r} is no service hours: write them like `Mon-Fri 08:00-16:00; Sat 08:00-12:00`, "
            "or leave them empty for a machine that can always be reached"
        )


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """When a machine can be reached, per weekday (Monday first) as ms within the day, sorted and apart."""

    week: tuple[tuple[Span, ...], ...]

    @classmethod
    def parse(cls, text: str) -> ServiceHours:
        """Read `Mon-Fri 08:00-16:00; Sat 08:00-12:00`; empty = always. Raises `BadServiceHours`."""
        if not text.strip():
            return ALWAYS
        week: list[list[Span]] = [[] for _ in _WEEK]
        for part in filter(None, (part.strip() for part in text.split(";"))):
            weekdays, _, clock = part.partition(" ")
            for weekday in _weekdays(weekdays, text):
                for times in clock.split(","):
                    _open(week, weekday, _times(times.strip(), text))
        return cls(tuple(merged(windows) for windows in week))

    def windows(self, day: date) -> list[Span]:
        """The instants of *day* in which the machine can be reached."""
        return [(starts(day) + begin, starts(day) + end) for begin, end in self.week[day.weekday()]]


ALWAYS: Final = ServiceHours((((0, DAY),),) * 7)


def _weekdays(text: str, whole: str) -> list[int]:
    found: list[int] = []
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in _WEEK or (dash and last not in _WEEK):
            raise BadServiceHours(whole)
        begin = _WEEK.index(first)
        length = (_WEEK.index(last) - begin) % 7 if dash else 0
        found += [(begin + number) % 7 for number in range(length + 1)]
    return found


def _times(text: str, whole: str) -> Span:
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise BadServiceHours(whole)
    hour, minute, to_hour, to_minute = map(int, match.groups())
    begin, end = hour * HOUR + minute * MINUTE, to_hour * HOUR + to_minute * MINUTE
    if minute > 59 or to_minute > 59 or begin >= DAY or end > DAY or begin == end:
        raise BadServiceHours(whole)
    return begin, end


def _open(week: list[list[Span]], weekday: int, times: Span) -> None:
    begin, end = times
    if begin < end:
        week[weekday].append((begin, end))
    else:  # past midnight
        week[weekday].append((begin, DAY))
        week[(weekday + 1) % 7].append((0, end))
