"""What panels show, each in the words of what it says it shows: figures of the rows in a window."""

from collections.abc import Callable
from itertools import pairwise
from statistics import fmean
from typing import Any

from panel_rows import Row, Window, by, days, extremes, mean, middle, newest, pick, quartile, share, total


def states(rows: list[Row]) -> list[Row]:
    now = newest(rows, "device")
    online = sum(row["online"] for row in now)
    return [{"Daring": online, "Terdaftar": len(now), "Keadaan": len(now) - online}]


def affected(w: Window) -> list[Row]:
    down = {row["estate"] for row in newest(w.here("machine"), "device") if not row["online"]}
    return [{"Terdampak": len(down), "Keadaan": len(down)}]


def taps(rows: dict[int, list[Row]], **columns: tuple[str, ...]) -> list[Row]:
    return [{"time": at, **{title: total(r, *names) for title, names in columns.items()}} for at, r in rows.items()]


def ongoing(w: Window) -> list[Row]:
    rows = [row for row in w.here("machine_event") if row["ongoing"]]
    columns = {"time": "time", "estate": "estate", "device": "device", "Gangguan": "text", "Lamanya": "duration_s"}
    return [pick(row, **columns) for row in rows]


def online_shares(w: Window, rows: list[Row]) -> list[Row]:
    return [
        {"time": at, "device": device, "daring": mean(group, "online")}
        for (device,), its in by(rows, "device").items()
        for at, group in w.steps(its).items()
    ]


def flags_by_kind(w: Window) -> list[Row]:
    now = newest(w.here("flag"), "estate", "kind")
    return [
        {
            "kind": kind,
            "Terbuka": total(rows, "open"),
            "Belum diambil": total(rows, "unacknowledged"),
            "Umur tertua": max(row["oldest_s"] for row in rows),
        }
        for (kind,), rows in by(now, "kind").items()
    ]


def map_points(w: Window) -> list[Row]:
    return [
        {"estate": r["estate"], "Lintang": r["lat"], "Bujur": r["lon"], "Luring": r["registered"] - r["online"]}
        for r in newest(w.here("fleet"), "estate")
    ]


def backlog(w: Window) -> list[Row]:
    waiting = [row["backlog"] for row in newest(w.here("machine"), "device")]
    return [{"Catatan": sum(waiting), "Terbanyak": max(waiting), "Keadaan": max(waiting)}]


def today(w: Window) -> list[Row]:
    rows = w.here("tap_15m")
    made, usual = total(rows, "known", "unknown"), total(rows, "expected")
    assert made and usual
    return [{"Tap": made, "Biasanya": usual, "Keadaan": made / usual * 100}]


def minutes_with_data(w: Window) -> list[Row]:
    count = len({row["time"] for row in w.every("fleet")})
    return [{"Menit": count, "Keadaan": count}]


def presence(w: Window, *, late: bool = False, word: bool = False) -> list[Row]:
    return [
        {
            "time": at,
            "Hadir": share(rows, "present_units", "obliged_units"),
            "Lengkap": share(rows, "able_min", "service_min"),
            **({"Tap terlambat": total(rows, "late_taps")} if late else {}),
            **({"Keadaan": share(rows, "able_min", "service_min")} if word else {}),
        }
        for at, rows in days(w.here("attendance_day")).items()
    ]


def sums(rows: list[Row], **columns: str) -> Row:
    return {title: total(rows, name) for title, name in columns.items()}


def daily(rows: list[Row], **columns: str) -> list[Row]:
    return [{"time": at, **sums(group, **columns)} for at, group in days(rows).items()]


SILENT = {"7 hari": "silent_units_7d", "14 hari": "silent_units_14d", "30 hari": "silent_units_30d"}
UNCOUNTED = {
    "Dihitung": "counted_units",
    "Mesin": "uncounted_machine",
    "Catatan hilang": "uncounted_lost",
    "Di luar jam layanan": "uncounted_closed",
    "Libur": "uncounted_calendar",
    "Izin": "uncounted_leave",
    "Penghuni baru": "uncounted_new_tenant",
    "Belum berkartu": "uncounted_no_card",
}


def registered(w: Window) -> list[Row]:
    return [
        {
            "time": at,
            **sums(rows, **{"Terdaftar": "registered_units", "Semua unit": "total_units"}),
            "Persen": share(rows, "registered_units", "total_units"),
        }
        for at, rows in days(w.here("attendance_day")).items()
    ]


def daily_shares(rows: list[Row]) -> list[float]:
    return [share([row], "present_units", "obliged_units") for row in rows]


def band(w: Window) -> list[Row]:
    return [
        {
            "time": at,
            "Kuartil bawah": quartile(daily_shares(rows), 25),
            "Median": middle(daily_shares(rows)),
            "Kuartil atas": quartile(daily_shares(rows), 75),
        }
        for at, rows in days(w.here("attendance_day")).items()
    ]


def rank(w: Window) -> list[Row]:
    return [
        {
            "estate": estate,
            "Hadir": share(rows, "present_units", "obliged_units"),
            "Perubahan": daily_shares(rows)[-1] - daily_shares(rows)[0],
            "Lengkap": share(rows, "able_min", "service_min"),
            "Keadaan": share(rows, "able_min", "service_min"),
            "Tap terlambat": total(rows, "late_taps"),
            "Terdaftar": share(rows, "registered_units", "total_units"),
        }
        for (estate,), rows in by(w.here("attendance_day"), "estate").items()
    ]


def late_days(w: Window) -> list[Row]:
    columns = {"time": "time", "estate": "estate", "Tap terlambat": "late_taps", "Semua tap": "taps"}
    columns |= {"Lengkap pada": "completed_at", "Keadaan": "late_taps"}
    return [pick(row, **columns) for row in w.here("attendance_day") if row["late_taps"]]


def hours(rows: list[Row], *tags: str, **columns: str) -> list[Row]:
    return [dict(zip(tags, key, strict=True)) | sums(group, **columns) for key, group in by(rows, *tags).items()]


def hour_profile(w: Window) -> list[Row]:
    return [
        {"hour": hour, "Tap per hari": fmean(sum(r["n"] for r in group) for group in days(rows).values())}
        for (hour,), rows in by(w.here("tap_hour"), "hour").items()
    ]


def months(w: Window) -> list[Row]:
    return [
        {
            "time": row["time"],
            "estate": row["estate"],
            "Hadir sebulan": share([row], "present_units", "obliged_units"),
            "Hadir harian": share([row], "present_unit_days", "obliged_unit_days"),
            "Lengkap": share([row], "able_min", "service_min"),
            "Tap": row["taps"],
            "Tap terlambat": row["late_taps"],
        }
        for row in w.here("attendance_month")
    ]


def availability(rows: list[Row], **more: str) -> Row:
    heard = share(rows, "minutes_online", "minutes_expected")
    return {"Terdengar": heard, "Mampu": share(rows, "minutes_able", "minutes_expected"), "Keadaan": heard} | sums(
        rows, **more
    )


def available(rows: list[Row], *tags: str, **more: str) -> list[Row]:
    groups = by(rows, *tags).items()
    return [dict(zip(tags, key, strict=True)) | availability(group, **more) for key, group in groups]


def unheard(rows: list[Row]) -> float:
    return sum(row["minutes_expected"] - row["minutes_online"] for row in rows)


def top_ten(w: Window) -> list[Row]:
    found = [
        {"estate": estate, "device": device, "Menit": unheard(rows)}
        for (estate, device), rows in by(w.here("machine_day"), "estate", "device").items()
    ]
    return sorted(found, key=lambda row: -row["Menit"])[:10]


def outages(w: Window) -> list[Row]:
    lasted = [row["duration_s"] for row in w.here("estate_event") if row["kind"] == "outage"]
    return [{"Banyaknya": len(lasted), "Rata-rata": fmean(lasted), "Terlama": max(lasted)}]


def difference(w: Window, name: str, step: int) -> float:
    """What a counter grew by, per program and stage, from the last value of one step to the next; resets left out."""
    grown = 0.0
    for stage in by(w.city.of("pipeline", w.begin - step * 1000, w.end), "instance", "stage").values():
        lasts = {at: rows[-1][name] for at, rows in sorted(w.steps(stage, step).items())}
        for before, at in pairwise(lasts):
            grown += max(0, lasts[at] - lasts[before]) if at >= w.begin else 0
    return grown


def rates(w: Window, series: str, tags: tuple[str, ...], **columns: str) -> list[Row]:
    found = []
    step = w.step * 1000
    for key, stage in by(w.city.of(series, w.begin - step, w.end), *tags).items():
        lasts = {at: rows[-1] for at, rows in sorted(w.steps(stage).items())}
        for before, at in pairwise(lasts):
            per_minute = {
                title: (lasts[at][name] - lasts[before][name]) / ((at - before) / 60_000)
                for title, name in columns.items()
            }
            row = {title: rate if rate >= 0 else None for title, rate in per_minute.items()}
            found.append({"time": at, **dict(zip(tags, key, strict=True)), **row})
    return found


def stages(w: Window, **columns: tuple[Callable[..., Any], str]) -> list[Row]:
    return [
        {"stage": stage} | row
        for (stage,), rows in by(w.every("pipeline"), "stage").items()
        for row in extremes(w.steps(rows), **columns)
    ]


def waiting_now(w: Window) -> list[Row]:
    now = newest(w.every("pipeline"), "instance", "stage")
    return [{"Ditahan": total(now, "held"), "Menunggu": total(now, "backlog"), "Keadaan": total(now, "backlog")}]


def ledger(w: Window) -> list[Row]:
    (row,) = newest(w.mine("machine"), "device")
    parts = row["stored"] + row["missing"] + row["held"] + row["rejected"]
    columns = {
        "Dibuat": "made",
        "Tersimpan": "stored",
        "Belum tiba": "missing",
        "Ditahan": "held",
        "Ditolak": "rejected",
    }
    return [pick(row, **columns) | {"Selisih": row["made"] - parts}]


def heard_share(w: Window) -> list[Row]:
    heard = share(w.mine("machine_day"), "minutes_online", "minutes_expected")
    return [{"Terdengar": heard, "Keadaan": heard}]


def completeness(w: Window) -> list[Row]:
    whole = share(w.here("attendance_day"), "able_min", "service_min")
    return [{"Lengkap": whole, "Keadaan": whole}]


def event_rows(rows: list[Row], **columns: str) -> list[Row]:
    return [pick(row, time="time", **columns) for row in rows]
