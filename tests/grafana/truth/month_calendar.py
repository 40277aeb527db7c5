"""Days and hours of the month in Jakarta, and when a machine stands and can be reached."""

from datetime import date, datetime

import month_story as story
from month_story import DAY, HOUR, MINUTE, WIB

QUARTER = 15 * MINUTE


def day_of(when: int) -> date:
    return datetime.fromtimestamp(when / 1000, WIB).date()


def midnight(day: date) -> int:
    return (
        story.at(day.month, day.day)
        if day.year == 2026
        else round(datetime(day.year, day.month, day.day, tzinfo=WIB).timestamp() * 1000)
    )


def hours(day: date) -> range:
    return range(midnight(day), midnight(day) + DAY, HOUR)


def stands(device: str, when: int) -> bool:
    return story.STANDS[device][0] <= when < story.STANDS[device][1]


def is_closed(estate: str, day: date) -> bool:
    return any(scope in ("*", estate) and first <= day <= last for scope, first, last in story.CLOSED)


def served(device: str, hour: int) -> float:
    """Minutes of an hour in which it stands and can be reached."""
    opens, closes = story.SERVICE.get(story.ESTATE_OF[device], (0, 24))
    begin = midnight(day_of(hour))
    first = max(hour, begin + opens * HOUR, story.STANDS[device][0])
    last = min(hour + HOUR, begin + closes * HOUR, story.STANDS[device][1])
    return max(0, last - first) / MINUTE


def is_whole(device: str, day: date, reached: int) -> bool:
    """Whether nothing of *day* can still come from this machine."""
    since, gone = story.STANDS[device]
    if gone <= midnight(day) or since >= midnight(day) + DAY:
        return True
    return reached >= min(midnight(day) + DAY + QUARTER, gone)
