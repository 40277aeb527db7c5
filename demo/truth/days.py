"""Days and instants as this city counts them: ms UTC, days since 1970-01-01 in Jakarta; and the holidays of 2026."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WIB: Final = 7 * HOUR
_EPOCH: Final = date(1970, 1, 1)
Span = tuple[int, int]
"""From the first instant to the second, which is not in it."""


def number(day: date) -> int:
    """The number of a date."""
    return (day - _EPOCH).days


def date_of(day: int) -> str:
    """A day as it is written in a file."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def midnight(day: int) -> int:
    """The instant at which a day begins."""
    return day * DAY - WIB


def day_of(ms: int) -> int:
    """The local day of an instant."""
    return (ms + WIB) // DAY


def weekday(day: int) -> int:
    """0 = Monday."""
    return (day + 3) % 7


def written(ms: int) -> str:
    """An instant as it is written in a file."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


def overlap(a: Span, b: Span) -> int:
    """How many ms two spans share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def without(spans: list[Span], holes: list[Span]) -> list[Span]:
    """*spans* with *holes* cut out of them."""
    for begin, end in holes:
        spans = [
            part
            for first, last in spans
            for part in ((first, min(last, begin)), (max(first, end), last))
            if part[0] < part[1]
        ]
    return sorted(spans)


OFFICE: Final = "Mon-Fri 08:00-16:00; Sat 08:00-12:00"
OFFICE_IN_RAMADAN: Final = "Mon-Fri 08:00-15:00; Sat 08:00-12:00"
ALWAYS: Final = ""
RAMADAN: Final = (number(date(2026, 2, 18)), number(date(2026, 3, 20)))
"""Its first day and the day after its last."""
LEBARAN: Final = (number(date(2026, 3, 10)), number(date(2026, 3, 31)))
"""As the decree first had it, with the ten days before and after; both days included."""
LEBARAN_MOVED: Final = (number(date(2026, 4, 1)), number(date(2026, 4, 2)))
"""The two days by which a second decree moved its end."""
LEBARAN_MOVED_ON: Final = midnight(number(date(2026, 3, 12))) + 10 * HOUR
HOLIDAYS: Final = tuple(
    number(date(2026, month, day))
    for month, day in (
        (1, 1), (1, 16), (2, 17), (3, 19), (4, 3), (5, 1), (5, 14), (5, 27), (5, 31), (6, 1), (6, 16),
        (8, 17), (12, 25),
    )
)  # fmt: skip


def is_lebaran(day: int) -> bool:
    """Whether a day is of Lebaran, as it was in the end."""
    return LEBARAN[0] <= day <= LEBARAN_MOVED[1]


def opening(day: int) -> Span | None:
    """When an estate's office is open; None = closed."""
    if weekday(day) == 6 or day in HOLIDAYS or is_lebaran(day):
        return None
    closes = 12 if weekday(day) == 5 else 15 if RAMADAN[0] <= day < RAMADAN[1] else 16
    return midnight(day) + 8 * HOUR, midnight(day) + closes * HOUR
