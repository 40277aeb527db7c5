"""What nobody writes yet: flags, the estates' events, the alert worker's stage. Its writer replaces this module."""

from typing import Any

import month_story as story
from month_story import HOUR, MINUTE
from synthetic_city import City

UNWRITTEN = ("flag", "estate_event")


def write_unwritten(city: City) -> None:
    """Add the rows of `flag`, `estate_event` and the stage `alerts` of `pipeline` to *city*, as of `story.NOW`."""
    now = story.NOW_MS // MINUTE * MINUTE
    for number, minute in enumerate(range(now - 26 * HOUR, now + 1, MINUTE)):
        for place, estate in enumerate(story.FLEET):
            for turn, kind in enumerate(("DEVICE_OFFLINE", "UNIT_NO_TAPS")):
                parts = (
                    "open",
                    "unacknowledged",
                    "hushed",
                    "oldest_s",
                    "opened_total",
                    "closed_total",
                    "retracted_total",
                )
                values = {name: (number + 3 * place + 5 * turn + at) % 11 for at, name in enumerate(parts)}
                write(city, "flag", minute, estate=estate, kind=kind, **values)
        stage = dict.fromkeys(("errors_total", "dlq_total", "duplicates_total", "held", "series_total"), 0)
        stage |= {"msgs_total": 4 * number, "backlog": number % 3}
        stage |= {"lag_p50_ms": 4.0, "lag_p95_ms": number % 9 + 5.5, "lag_max_ms": number % 9 + 8.5}
        if minute <= now - 50 * MINUTE:
            write(city, "pipeline", minute, instance="alerts-1", stage="alerts", **stage)
    for estate, kind, begin, length in (
        ("MRD", "outage", story.CUT_OFF["MRD-01"][0][0], 2),
        ("MRD", "outage", story.at(2, 11, 3), 2),
        ("KRA", "outage", story.FAULTS["KRA-01"][1][0], 20),
        ("DMG", "policy", story.at(2, 16, 9), 0),
    ):
        over = {"end_ms": begin + length * HOUR, "duration_s": length * 3600, "ongoing": 0}
        write(city, "estate_event", begin, estate=estate, kind=kind, text=f"Kejadian {kind}", **over)


def write(city: City, series: str, when: int, **values: Any) -> None:
    city.rows.setdefault(series, []).append({"time": when, **values})
