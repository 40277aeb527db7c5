"""A city as a replay directory (docs/replay.md), and beside it the truth that no program of the cloud may read."""

import csv
import itertools
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from demo.truth import days, telling
from demo.truth.city import City
from demo.truth.days import MINUTE, date_of, midnight, written
from demo.truth.machines import Device
from demo.truth.telling import Telling
from demo.truth.visits import Tap

POLICY: Final = "[mass]\nenabled = false\n"


def write(city: City, folder: Path, *, untroubled: Iterable[str] = (), policy: str = POLICY) -> None:
    """The replay directory; at the estates *untroubled* nothing failed, while the taps that were made stay."""
    whole = frozenset(untroubled)
    (folder / "devices").mkdir(parents=True, exist_ok=True)
    meta = {"format": "hadir-replay/1", "from": date_of(city.first), "until": date_of(city.until)}
    (folder / "meta.json").write_text(json.dumps(meta) + "\n", "utf-8")
    (folder / "policy.toml").write_text(policy, "utf-8")
    _papers(city, folder)
    _table(folder / "declared_lost.csv", "device,from,to,known_from", _declared(city, whole))
    taps: dict[str, list[Tap]] = defaultdict(list)
    for tap in city.taps:
        taps[tap.device].append(tap)
    for device in city.devices:
        lines = _lines(city, device, taps[device.name], is_untroubled=device.estate in whole)
        text = "".join(json.dumps(line.as_json(), separators=(",", ":")) + "\n" for line in lines)
        (folder / "devices" / f"{device.name}.jsonl").write_text(text, "utf-8")


def _lines(city: City, device: Device, taps: Sequence[Tap], *, is_untroubled: bool) -> list[telling.Line]:
    """A tap that was lost is gone in both: what failed may only have hindered, never taken a tap away."""
    life = device.untroubled() if is_untroubled else device
    kept = [tap for tap in taps if not (is_untroubled and tap.is_lost)]
    chance = random.Random(f"{city.seed}|tell|{device.name}")
    return telling.tell(Telling(life, midnight(city.until), city.size.heartbeat_min, chance), kept)


def _papers(city: City, folder: Path) -> None:
    _table(
        folder / "estates.csv",
        "estate,name,lat,lon,go_live",
        ((estate.code, estate.name, estate.lat, estate.lon, date_of(estate.go_live)) for estate in city.estates),
    )
    _table(folder / "units.csv", "unit,estate", ((home.unit, home.estate) for home in city.homes))
    _table(
        folder / "tenancies.csv",
        "unit,start,end,known_from",
        ((home.unit, date_of(let.start), _date(let.end), "") for home in city.homes for let in home.tenancies),
    )
    header = "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from"
    _table(folder / "cards.csv", header, _cards(city))
    header = "device,estate,installed,removed,service_hours,known_from"
    _table(folder / "installations.csv", header, (row for device in city.devices for row in _stays(device)))
    _table(folder / "calendar.csv", "scope,from,to,kind,reason,known_from", _calendar(city))
    leave = ((home.unit, each) for home in city.homes for each in home.leave)
    rows = ((unit, date_of(each.first), date_of(each.last), _instant(each.known_ms)) for unit, each in leave)
    _table(folder / "leave.csv", "unit,from,to,known_from", rows)


def _cards(city: City) -> Iterable[Sequence[object]]:
    for home in city.homes:
        for card in home.cards:
            yield (
                card.card, home.unit, card.role, int(card.is_obliged), date_of(card.first), _date(card.last),
                card.ended_because, _instant(card.known_ms),
            )  # fmt: skip
    for estate in city.estates:
        unit = next(home.unit for home in city.homes if home.estate == estate.code)
        yield f"test {estate.code}", unit, "test", 0, date_of(city.first - 400), "", "", ""


def _stays(device: Device) -> Iterable[Sequence[object]]:
    """A machine in an office keeps the office's hours; those of Ramadan are a row of their own."""
    begin, end = device.installed, device.removed
    cuts = [midnight(day) for day in days.RAMADAN] if device.hours else []
    edges = [begin, *(cut for cut in cuts if begin < cut and (end is None or cut < end)), end]
    for first, last in itertools.pairwise(edges):
        assert first is not None
        is_ramadan = device.hours and cuts[0] <= first < cuts[1]
        hours = days.OFFICE_IN_RAMADAN if is_ramadan else device.hours
        yield device.name, device.estate, written(first), _instant(last), hours, ""


def _calendar(city: City) -> Iterable[Sequence[object]]:
    for row in city.calendar:
        yield row.scope, date_of(row.first), date_of(row.last), row.kind, row.reason, _instant(row.known_ms)


def _declared(city: City, whole: frozenset[str]) -> Iterable[Sequence[object]]:
    """What officials gave up: the days of a dead disk, or of a machine that never came back."""
    for device in city.devices:
        lost = device.lost()
        if lost is None or device.estate in whole or (device.loss is not None and device.loss.is_told):
            continue
        known = device.loss.declared if device.loss is not None else device.declared
        heard = max(end for _, end in device.online(lost[1]) if end <= lost[0]) - city.size.heartbeat_min * MINUTE
        again = min((begin for begin, _ in device.powered(midnight(city.until)) if begin >= lost[1]), default=lost[1])
        again = lost[1] if device.takes(lost[1]) else again
        yield device.name, date_of(days.day_of(heard)), date_of(days.day_of(again)), _instant(known)


def _table(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def _date(day: int | None) -> str:
    return "" if day is None else date_of(day)


def _instant(ms: int | None) -> str:
    return "" if ms is None else written(ms)


def truth(city: City) -> dict[str, Any]:
    """What really was: habits, sub-lettings, faults, and the taps that were prevented, lost or late."""
    return {
        "format": "hadir-truth/1",
        "seed": city.seed,
        "lebaran": [date_of(days.LEBARAN[0]), date_of(days.LEBARAN_MOVED[1])],
        "units": {
            home.unit: {
                "estate": home.estate,
                "habit": home.habit.name,
                "sublet_from": _date(home.sublet_from) or None,
                "is_courier": home.is_courier,
            }
            for home in city.homes
        },
        "faults": [
            {"device": device.name, "estate": device.estate, "fault": cut.fault, "from": written(cut.begin),
             "to": written(cut.end), "misfortune": device.misfortune}
            for device in city.devices for cut in device.cuts if not cut.is_routine
        ],
        "prevented": [
            {"unit": each.unit, "device": each.device, "at": written(each.at), "because": each.because}
            for each in city.prevented
        ],
        "lost_taps": [
            {"unit": tap.unit, "device": tap.device, "at": written(tap.at)} for tap in city.taps if tap.is_lost
        ],
    }  # fmt: skip
