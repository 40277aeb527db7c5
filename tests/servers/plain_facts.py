"""Facts and directories by hand for the recount: one estate, one machine that is always able, one flat."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.truth.recount import calendar, reading
from bench.truth.recount.calendar import HOUR, MINUTE, NEVER, begins
from bench.truth.recount.reading import Card, Directory, Fact, Installation, Tenancy
from bench.truth.recount.running import Line, Recount

ALWAYS = -NEVER
GO = calendar.day("2026-01-05")
"""A Monday: period k begins on day GO + 14 k."""
UNIT = "DMG/A/01/01"
DAYS = 100
HOUSE = Card("a", UNIT, True, GO - 400, NEVER, ALWAYS)


def written(ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).isoformat()


def record(device: str, seq: int, arrived: int, kind: str, **body: Any) -> Fact:
    return Fact(device, arrived, kind, {"outbox": "o", "seq": seq} | body)


def hours_of(device: str, day: int, *, minutes: int = 60, arrived: int | None = None) -> list[Fact]:
    """Eight records, one for each hour from 08.00 to 16.00."""
    first = begins(day) + 8 * HOUR
    return [
        record(device, (day - GO) * 10 + number + 1, arrived or first + (number + 1) * HOUR, "hours",
               hour=written(first + number * HOUR), able_min=minutes, clock="trusted")
        for number in range(8)
    ]  # fmt: skip


def heartbeat(device: str, made: int, last_seq: int, *, outbox: str = "o", boot: str = "b") -> Fact:
    uptime = (made - begins(GO - 1)) // 1000
    return Fact(device, made, "heartbeat", {"outbox": outbox, "boot": boot, "uptime_s": uptime, "last_seq": last_seq})


def tap(device: str, at: int, *, card: str = "a", arrived: int | None = None, doubt_s: int = 0) -> Fact:
    """The ninth record of its day (nobody taps twice a day here)."""
    clock = "untrusted" if doubt_s else "trusted"
    seq = (calendar.day_of(at) - GO) * 10 + 9
    return record(
        device, seq, arrived or at + 1000, "tap", at=written(at), card=card, clock=clock, uncertainty_s=doubt_s
    )


def life(
    device: str = "DMG-01",
    taps: Sequence[Fact] = (),
    *,
    minutes: Callable[[int], int] = lambda day: 60,
    days: int = DAYS,
) -> list[Fact]:
    """A machine that tells of each of its days in ten records and says at 00.30 that it has told all."""
    facts = list(taps)
    tapped = {fact.body["seq"] for fact in taps}
    for day in range(GO, GO + days):
        base = (day - GO) * 10
        facts += hours_of(device, day, minutes=minutes(day))
        facts += [
            record(
                device, seq, begins(day) + 23 * HOUR, "event", at=written(begins(day) + 23 * HOUR), event="self_test"
            )
            for seq in (base + 9, base + 10)
            if seq not in tapped
        ]
        facts.append(heartbeat(device, begins(day + 1) + 30 * MINUTE, base + 10))
    return facts


def directory(facts: Iterable[Fact], **changed: Any) -> Directory:
    stands = Installation("DMG-01", "DMG", begins(GO - 2), NEVER, "Mon-Sun 08:00-16:00", ALWAYS)
    made = Directory(
        first=GO, until=GO + DAYS - 1, go_live={"DMG": GO}, estate_of={UNIT: "DMG"},
        tenancies=[Tenancy(UNIT, GO - 400, NEVER, ALWAYS)], cards=[HOUSE], installations=[stands],
        test_cards=frozenset(), calendar=[], leave=[], lost=[], absence=dict(reading.ABSENCE), mass=dict(reading.MASS),
        facts=sorted(facts, key=lambda fact: fact.arrived),
    )  # fmt: skip
    return replace(made, **changed)


def said(made: Directory) -> list[tuple[int, str]]:
    """Day since the start and change, in order."""
    return [(calendar.day_of(line.at) - GO, line.change) for line in Recount(made).lines()]


def opened(made: Directory) -> Line:
    return next(line for line in Recount(made).lines() if line.change == "opened")


SILENCE = [(29, "watch"), (43, "opened"), (57, "reminded"), (85, "case")]
