"""A synthetic city with a past, as plain rows: what every panel is held against.

In the past: an outage of an estate, a replaced machine, a wrong clock, late backlogs, counters that start anew, a stage
that stopped. At the end: a machine that has never been heard, one that fell silent and one that came back within the
last three minutes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contract.series import NOT_COUNTED, SERIES

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 3, 31, 14, 7, 30, tzinfo=WIB)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FLEET = {
    "DMG": ["DMG-01", "DMG-02", "DMG-03", "DMG-04"],
    "JNK": ["JNK-01"],
    "KRA": ["KRA-01"],
    "MRD": ["MRD-01", "MRD-02", "MRD-03", "MRD-04", "MRD-05", "MRD-06"],
}
ESTATE_OF = {device: estate for estate, devices in FLEET.items() for device in devices}
NEVER_HEARD = "JNK-01"
REPLACED, REPLACEMENT, REPLACED_AT = "DMG-03", "DMG-04", NOW.replace(hour=10, minute=0, second=0) - 2 * DAY
OUTAGE = (NOW - timedelta(hours=30), NOW - timedelta(hours=24))
OFFLINE = {
    **{device: [OUTAGE] for device in FLEET["MRD"]},
    "DMG-02": [(NOW - timedelta(hours=5), NOW + DAY)],
    "KRA-01": [(NOW - timedelta(minutes=2), NOW + DAY)],
    "MRD-02": [OUTAGE, (NOW - timedelta(minutes=40), NOW - timedelta(seconds=90))],
}

DOWN = (NOW - timedelta(minutes=100), NOW - timedelta(minutes=80))
"""Ingest was down: nobody wrote a minute row."""
NOT_ROLLED_UP = (11, 40)
"""Days ago of which there is no roll-up."""
PROGRAMS = [*(("ingest-1", stage) for stage in ("mqtt", "sql", "influx")), ("ingest-2", "mqtt"), ("alerts-1", "alerts")]
NO_QUARTER = NOW.replace(hour=9, minute=0, second=0)

Row = dict[str, Any]


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


@dataclass
class City:
    """Everything that was written, by series: rows of time (ms), tags and fields."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    now: datetime = NOW

    def write(self, series: str, at: datetime, **values: Any) -> None:
        self.rows.setdefault(series, []).append({"time": ms(at), **values})

    def of(self, series: str, begin: int, end: int, **tags: str) -> list[Row]:
        """Rows of a series between two instants (both included), in order of time."""
        return sorted(
            (
                row
                for row in self.rows[series]
                if begin <= row["time"] <= end and all(row[name] == value for name, value in tags.items())
            ),
            key=lambda row: row["time"],
        )


def is_installed(device: str, at: datetime) -> bool:
    return at < REPLACED_AT if device == REPLACED else at >= REPLACED_AT if device == REPLACEMENT else True


def is_online(device: str, at: datetime) -> bool:
    return device != NEVER_HEARD and not any(begin <= at < end for begin, end in OFFLINE.get(device, ()))


def every_minute(span: timedelta) -> Iterator[datetime]:
    at = NOW.replace(second=0) - span
    while at <= NOW:
        if not DOWN[0] <= at < DOWN[1]:
            yield at
        at += MINUTE


def minutes(city: City, dice: random.Random) -> None:
    """Four days of minute rows of machines and estates."""
    for at in every_minute(4 * DAY):
        for estate, devices in FLEET.items():
            present = [device for device in devices if is_installed(device, at)]
            for device in present:
                city.write("machine", at, device=device, estate=estate, **machine(device, at, dice))
            online = sum(is_online(device, at) for device in present)
            place = {"lat": -6.1 - len(estate) * 0.01 - ord(estate[0]) / 1e4, "lon": 106.7 + ord(estate[1]) / 1e3}
            city.write("fleet", at, estate=estate, registered=len(present), online=online, **place)


def machine(device: str, at: datetime, dice: random.Random) -> Row:
    if device == NEVER_HEARD:
        zeros = dict.fromkeys((each.name for each in SERIES["machine"].fields), 0)
        return zeros | {"last_seen_s": round((at - NOW).total_seconds()) + 10**6, "disk_free_pct": 0.0, "version": "0"}
    parts = {
        name: dice.randrange(top) for name, top in (("stored", 9000), ("missing", 40), ("held", 9), ("rejected", 5))
    }
    is_wrong = device == "MRD-05" and (at.hour, at.minute) < (8, 58)
    return {
        "online": int(is_online(device, at)),
        "heard": 1,
        "reader_ok": int(dice.random() > 0.1),
        "clock_trusted": int(not is_wrong),
        "last_seen_s": dice.randrange(20000),
        "uptime_s": dice.randrange(900_000),
        "backlog": dice.randrange(300),
        "oldest_unsent_s": dice.randrange(7000),
        "clock_offset_ms": dice.randrange(-400, 400) - is_wrong * 3_600_000,
        "refused": dice.randrange(3),
        "parked": dice.randrange(4),
        "made": sum(parts.values()) + (device == "KRA-01"),
        **parts,
        "disk_free_pct": dice.uniform(20, 95),
        "version": "0.1.0" if device < "M" else "0.2.0",
    }


def quarters(city: City, dice: random.Random) -> None:
    """Three days of quarter-hours; `expected` is not known for the replacement."""
    at = NOW.replace(hour=0, minute=0, second=0) - 3 * DAY
    while at <= NOW:
        for device, estate in () if at == NO_QUARTER else ESTATE_OF.items():
            counts = {"known": dice.randrange(9), "unknown": dice.randrange(3)}
            expected = {} if device == REPLACEMENT else {"expected": dice.uniform(0, 9)}
            city.write("tap_15m", at, device=device, estate=estate, **counts, **expected)
        at += 15 * MINUTE


def days(city: City, dice: random.Random) -> None:
    """Seventy days of roll-ups, and the months they make."""
    today = NOW.replace(hour=0, minute=0, second=0)
    for back in (back for back in range(70, -1, -1) if back not in NOT_ROLLED_UP):
        day = today - back * DAY
        for estate, devices in FLEET.items():
            city.write("attendance_day", day, estate=estate, **attendance(estate, back, dice), **silence(dice))
            counts = [dice.choice([0, 0, 2, 7, 19, 40]) for _ in range(24)]
            for hour in range(24):
                few = 2 in (counts[hour // 2 * 2], counts[hour // 2 * 2 + 1])
                shown = {"n": 0, "withheld": 1} if few else {"n": counts[hour], "withheld": 0}
                city.write("tap_hour", day + timedelta(hours=hour), estate=estate, hour=f"{hour:02}", **shown)
            for device in devices:
                city.write("machine_day", day, device=device, estate=estate, **work(dice))
    for month in (1, 2, 3):
        for estate in FLEET:
            sums = {name: dice.randrange(2000, 9000) for name in ("present_unit_days", "counted_unit_days")}
            sums |= {"days": 28, "obliged_unit_days": dice.randrange(9000, 12000)}
            month_of = NOW.replace(month=month, day=1, hour=0, minute=0, second=0)
            city.write("attendance_month", month_of, estate=estate, **attendance(estate, month, dice), **sums)


def attendance(estate: str, back: int, dice: random.Random) -> Row:
    total = 300 + len(FLEET[estate]) * 100
    obliged = total - dice.randrange(40, 90)
    able = dice.uniform(300, 480)
    late = {"late_taps": dice.randrange(1, 50), "completed_at": ms(NOW) - back} if back % 9 == 4 else {"late_taps": 0}
    return {
        "present_units": dice.randrange(20, obliged),
        "obliged_units": obliged,
        "registered_units": obliged + dice.randrange(20),
        "total_units": total,
        "taps": dice.randrange(200, 900),
        "unknown_taps": dice.randrange(60),
        "able_min": able,
        "service_min": 480.0,
        "complete_pct": 100 * able / 480,
        **late,
    }


def silence(dice: random.Random) -> Row:
    names = ["silent_units_7d", "silent_units_14d", "silent_units_30d", "counted_units"]
    return {name: dice.randrange(90) for name in [*names, *(f"uncounted_{reason}" for reason in NOT_COUNTED)]}


def work(dice: random.Random) -> Row:
    online = dice.uniform(300, 480)
    able = {"minutes_able": dice.uniform(200, 480), "minutes_expected": 480.0, "minutes_online": online}
    return able | {"taps": dice.randrange(80), "restarts": dice.randrange(3)}


def events(city: City) -> None:
    """What happened at machines and estates; two things are not over."""
    for number, (device, hours, length) in enumerate(
        [
            ("DMG-02", 5, None),
            ("KRA-01", 0.03, None),
            ("MRD-02", 0.7, 0.6),
            ("MRD-01", 30, 6),
            ("MRD-02", 30.5, 6),
            ("KRA-01", 90, 1),
            ("DMG-01", 200, 2),
            ("MRD-05", 31, 6),
        ]
    ):
        begin = NOW - timedelta(hours=hours)
        lasted = hours if length is None else length
        over = {"end_ms": ms(begin + timedelta(hours=lasted)), "duration_s": round(lasted * 3600)}
        kind = "boot" if number == 2 else "offline"
        said = {"kind": kind, "text": f"Mesin {kind} {number}", "ongoing": int(length is None)}
        city.write("machine_event", begin, device=device, estate=ESTATE_OF[device], **said, **over)
    for number, (estate, kind, back, length) in enumerate(
        [
            ("MRD", "outage", 1, 6),
            ("MRD", "outage", 45, 3),
            ("KRA", "outage", 38, 9),
            ("MRD", "closure", 50, 30),
            ("DMG", "outage", 40, 2),
            ("KRA", "closure", 3, 24),
            ("DMG", "policy", 20, 0),
        ]
    ):
        begin = NOW - back * DAY - timedelta(minutes=number)
        over = {"end_ms": ms(begin + timedelta(hours=length)), "duration_s": length * 3600, "ongoing": 0}
        city.write("estate_event", begin, estate=estate, kind=kind, text=f"Kejadian {number}", **over)


def pipes(city: City, dice: random.Random) -> None:
    """26 hours of the pipeline, the broker and the flags; programs restarted once, one stage stopped an hour ago."""
    totals: dict[tuple[str, str], int] = {}
    for at in every_minute(timedelta(hours=26)):
        if at == NOW.replace(second=0) - timedelta(hours=2):
            totals.clear()
        for instance, stage in PROGRAMS:
            if stage == "alerts" and at > NOW - timedelta(minutes=50):
                continue
            values: Row = {}
            for name, top in (("msgs", 60), ("errors", 3), ("dlq", 7), ("duplicates", 9)):
                key = (instance + stage, name)
                totals[key] = values[f"{name}_total"] = totals.get(key, 0) + dice.randrange(top)
            values |= {"held": dice.randrange(9), "backlog": dice.randrange(99)}
            values |= {name: dice.uniform(1, 900) for name in ("lag_p50_ms", "lag_p95_ms", "lag_max_ms")}
            values["series_total"] = dice.randrange(50, 90) if stage == "influx" else 0
            city.write("pipeline", at, instance=instance, stage=stage, **values)
        broker(city, at, totals, dice)
        for estate in FLEET:
            for kind in ("DEVICE_OFFLINE", "UNIT_NO_TAPS"):
                names = [each.name for each in SERIES["flag"].fields]
                city.write("flag", at, estate=estate, kind=kind, **{name: dice.randrange(40) for name in names})


def broker(city: City, at: datetime, totals: dict[tuple[str, str], int], dice: random.Random) -> None:
    values = {each.name: dice.randrange(1, 90) for each in SERIES["broker"].fields}
    for name in [name for name in values if name.endswith("_total")]:
        totals["broker", name] = values[name] = totals.get(("broker", name), 0) + values[name]
    city.write("broker", at, instance="broker-1", **values)


def build() -> City:
    """The same city in every run."""
    made, dice = City(), random.Random(5)
    for part in (minutes, quarters, days, pipes):
        part(made, dice)
    events(made)
    return made
