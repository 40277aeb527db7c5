"""What no program writes yet: flags, the estates' events, the alert worker's stage.

The program that does replaces `write`, and `add` by what must then be there; the test of the month stays as it is.
"""

from typing import Any

import month_story as story
from month_story import HOUR, MINUTE
from synthetic_city import City

from cloud.history import History
from cloud.records import Records
from contract.series import SERIES, Point


async def write(records: Records, history: History) -> None:
    """Have it written, after ingest has lived the month: *records* and *history* are those it left."""
    unwritten = City()
    add(unwritten)
    points = [_point(series, row) for series, rows in unwritten.rows.items() for row in rows]
    assert await history.write(points) == []


def _point(series: str, row: dict[str, Any]) -> Point:
    measurement = SERIES[series]
    fields = {name: value for name, value in row.items() if name not in measurement.tags and name != "time"}
    return measurement.point(row["time"] * 10**6, {name: row[name] for name in measurement.tags}, fields)


def add(city: City) -> None:
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
                _add(city, "flag", minute, estate=estate, kind=kind, **values)
        stage = dict.fromkeys(("errors_total", "dlq_total", "duplicates_total", "held", "series_total"), 0)
        stage |= {"msgs_total": 4 * number, "backlog": number % 3}
        stage |= {"lag_p50_ms": 4.0, "lag_p95_ms": number % 9 + 5.5, "lag_max_ms": number % 9 + 8.5}
        if minute <= now - 50 * MINUTE:
            _add(city, "pipeline", minute, instance="alerts-1", stage="alerts", **stage)
    for estate, kind, begin, length in (
        ("MRD", "outage", story.CUT_OFF["MRD-01"][0][0], 2),
        ("MRD", "outage", story.at(2, 11, 3), 2),
        ("KRA", "outage", story.FAULTS["KRA-01"][1][0], 20),
        ("DMG", "policy", story.at(2, 16, 9), 0),
    ):
        over = {"end_ms": begin + length * HOUR, "duration_s": length * 3600, "ongoing": 0}
        _add(city, "estate_event", begin, estate=estate, kind=kind, text=f"Kejadian {kind}", **over)


def _add(city: City, series: str, when: int, **values: Any) -> None:
    city.rows.setdefault(series, []).append({"time": when, **values})
