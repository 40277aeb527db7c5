"""Days, hours and opening times as Jakarta counts them: UTC+7, no summer time."""

from datetime import date, datetime, timedelta
from functools import cache
from typing import Final

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WIB: Final = 7 * HOUR
NEVER: Final = 2**62
"""Later than every instant and every day."""
_EPOCH: Final = date(1970, 1, 1)
_WEEK: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONDAY: Final = 4
"""1970-01-05 was a Monday."""


def instant(text: str) -> int:
    """An RFC 3339 instant in ms."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return (parsed - datetime.fromisoformat("1970-01-01T00:00:00+00:00")) // timedelta(milliseconds=1)


def day(text: str) -> int:
    """The number of a date."""
    return (date.fromisoformat(text) - _EPOCH).days


def text_of(number: int) -> str:
    """The date of a day's number."""
    return (_EPOCH + timedelta(days=number)).isoformat()


def day_of(ms: int) -> int:
    """The local day of an instant."""
    return (ms + WIB) // DAY


def begins(number: int) -> int:
    """The instant at which a day begins."""
    return number * DAY - WIB


def weekday(number: int) -> str:
    """`Mon` … `Sun`."""
    return _WEEK[(number - _MONDAY) % 7]


@cache
def open_times(service_hours: str, on: str) -> tuple[tuple[int, int], ...]:
    """From and to, in ms of the day, on such a weekday. No hours written = always."""
    if not service_hours.strip():
        return ((0, DAY),)
    times = []
    for part in service_hours.split(";"):
        days, clock = part.split()
        first, _, last = days.partition("-")
        span = range(_WEEK.index(first), _WEEK.index(last or first) + 1)
        if _WEEK.index(on) in span:
            begin, _, end = clock.partition("-")
            times.append((_of_day(begin), _of_day(end)))
    return tuple(times)


def _of_day(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * HOUR + int(minute) * MINUTE


def shared(a: tuple[int, int], b: tuple[int, int]) -> int:
    """How much of two spans is common."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))
