"""What replay.md says must hold of the clock's verdicts, by the recount alone, on small cities with misfortunes."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.truth.recount import calendar, reading
from bench.truth.recount.calendar import DAY, begins
from bench.truth.recount.reading import Days, Directory, Fact
from bench.truth.recount.running import Line, Recount
from demo.truth import writing
from demo.truth.__main__ import make
from demo.truth.city import Size

SMALL = Size(estates=2, units=9, days=126, heartbeat_min=360)
RISES = ("watch", "opened", "reminded", "case")
few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CITIES = (3, 6, 9)
seeds = st.sampled_from(CITIES)
chances = st.integers(0, 2**32).map(random.Random)


@cache
def city(seed: int) -> Directory:
    with TemporaryDirectory() as name:
        writing.write(make(SMALL, seed=seed), Path(name))
        return reading.read(Path(name))


@cache
def said(seed: int) -> list[Line]:
    return Recount(city(seed)).lines()


def firsts(lines: Sequence[Line]) -> dict[tuple[str, str], int]:
    """By unit and change: when it was said first."""
    found: dict[tuple[str, str], int] = {}
    for line in lines:
        if line.change in RISES:
            found.setdefault((line.subject, line.change), line.at)
    return found


def advanced(seed: int, changed: Directory, *, estate: str | None = None) -> list[tuple[str, str]]:
    """What comes earlier in the changed city, of all units or of those of an estate."""
    before, after = firsts(said(seed)), firsts(Recount(changed).lines())
    mine = {unit for unit, code in city(seed).estate_of.items() if estate in (None, code)}
    return [key for key, at in after.items() if key[0] in mine and at < before.get(key, calendar.NEVER)]


def with_facts(seed: int, change: Callable[[Fact], Sequence[Fact]]) -> Directory:
    """The city with each of its facts changed, in order of arrival again."""
    facts = [new for fact in city(seed).facts for new in change(fact)]
    return replace(city(seed), facts=sorted(facts, key=lambda fact: fact.arrived))


def test_the_small_cities_open_and_end_flags() -> None:
    changes = {line.change for seed in CITIES for line in said(seed)}
    assert {"watch", "opened", "reminded", "case", "closed", "retracted"} <= changes


@few
@given(seeds, chances, st.floats(0.01, 1))
def test_lost_able_minutes_never_advance_anything(seed: int, chance: random.Random, share: float) -> None:
    def lose(fact: Fact) -> list[Fact]:
        if fact.kind != "hours" or chance.random() > share:
            return [fact]
        return [replace(fact, body=fact.body | {"able_min": chance.randint(0, fact.body["able_min"])})]

    assert advanced(seed, with_facts(seed, lose)) == []


@few
@given(seeds, st.data(), st.integers(0, 100), st.integers(0, 40), st.integers(-5, 60))
def test_a_calendar_row_never_advances_anything(
    seed: int, data: st.DataObject, first: int, length: int, late: int
) -> None:
    scope = data.draw(st.sampled_from(["*", *sorted(city(seed).go_live)]))
    day = city(seed).first + first
    row = Days(scope, day, day + length, begins(day + late))
    assert advanced(seed, replace(city(seed), calendar=[*city(seed).calendar, row])) == []


@few
@given(seeds, st.data(), st.integers(0, 100), st.integers(0, 40), st.integers(-5, 60))
def test_a_leave_row_never_advances_anything(
    seed: int, data: st.DataObject, first: int, length: int, late: int
) -> None:
    day = city(seed).first + first
    units = data.draw(st.sets(st.sampled_from(sorted(city(seed).estate_of)), min_size=1))
    rows = [Days(unit, day, day + length, begins(day + late)) for unit in sorted(units)]
    assert advanced(seed, replace(city(seed), leave=[*city(seed).leave, *rows])) == []


@few
@given(seeds, st.data(), st.integers(0, 100), st.integers(1, 40))
def test_a_delay_at_a_machine_of_the_own_estate_never_advances_anything(
    seed: int, data: st.DataObject, first: int, length: int
) -> None:
    """Records wait; the heartbeats of the time are never queued and never come."""
    device = data.draw(st.sampled_from(sorted({row.device for row in city(seed).installations})))
    begin, end = begins(city(seed).first + first), begins(city(seed).first + first + length)

    def delay(fact: Fact) -> list[Fact]:
        if fact.device != device or not begin <= fact.arrived < end:
            return [fact]
        return [] if fact.kind in ("heartbeat", "status") else [replace(fact, arrived=end + fact.arrived % DAY // 100)]

    estate = next(row.estate for row in city(seed).installations if row.device == device)
    assert advanced(seed, with_facts(seed, delay), estate=estate) == []


@few
@given(seeds, chances)
def test_the_order_of_arrival_within_a_day_changes_nothing(seed: int, chance: random.Random) -> None:
    def shuffle(fact: Fact) -> list[Fact]:
        if fact.kind in ("heartbeat", "status"):
            return [fact]
        return [replace(fact, arrived=begins(calendar.day_of(fact.arrived - 1)) + chance.randint(1, DAY))]

    assert Recount(with_facts(seed, shuffle)).lines() == said(seed)


@few
@given(seeds, chances)
def test_a_duplicate_changes_nothing(seed: int, chance: random.Random) -> None:
    def repeat(fact: Fact) -> list[Fact]:
        late = replace(fact, arrived=fact.arrived + chance.randint(0, 40) * DAY)
        return [fact, late] if chance.random() < 0.2 else [fact]

    assert Recount(with_facts(seed, repeat)).lines() == said(seed)
