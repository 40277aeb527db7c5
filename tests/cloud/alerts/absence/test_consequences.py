"""What replay.md says must hold for the clock's verdicts, whatever happens: over small cities, the mass gate off.

The rules are asked here as the shell asks them, day by day, from facts that have arrived or become known by then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud import days
from cloud.alerts.absence import evidence, judgeable, periods, run, verdicts
from cloud.alerts.absence.judgeable import Sent
from cloud.alerts.absence.run import Case
from cloud.alerts.absence.verdicts import Tap
from cloud.alerts.findings import Stands
from cloud.alerts.kinds import Kind, Level
from cloud.alerts.policy import Absence, Policies, Policy, _Edition
from cloud.days import HOUR, Card, EstateDay, Household, Machine, Stay, Tenancy

GO_LIVE = date(2026, 1, 1)
LONG_AGO = date(2025, 1, 1)
P = 4
LAST = 44
ABSENCE = Absence(period_days=P, min_counted_days=3, tenancy_grace_days=0)
POLICIES = Policies((_Edition(date.min, Policy(absence=ABSENCE)),))
OFFICE = days.ServiceHours.parse("Mon-Sun 08:00-12:00")
HOME, AWAY = "DMG-01", "PSK-01"
RISING = ("watch", "opened", "reminded", "case")


def day(number: int) -> date:
    return GO_LIVE + timedelta(days=number)


@dataclass(frozen=True)
class Made:
    """A tap as it was made on day *number* at a machine."""

    number: int
    device: str
    doubt: int = 0

    @property
    def tap(self) -> Tap:
        return Tap(day(self.number), day(self.number - self.doubt), day(self.number + self.doubt), self.device)


@dataclass(frozen=True)
class City:
    """One unit, its machine and one elsewhere. What a machine makes on a day arrives `delay` days later."""

    taps: frozenset[Made]
    broken: frozenset[int] = frozenset()
    """Days on which the machine at home was able for no minute."""
    calendar: tuple[tuple[int, int], ...] = ()
    """First and last day."""
    leave: tuple[tuple[int, int, int], ...] = ()
    """First and last day, and the day on which it became known."""
    delays: tuple[tuple[str, int, int], ...] = ()
    """Machine, first day without network, the day it returns."""

    def arrives(self, device: str, number: int) -> int:
        """On which day arrives what *device* makes on day *number*; the same day, or when the network is back."""
        while True:
            ends = [end for name, begin, end in self.delays if name == device and begin <= number < end]
            if not ends:
                return number
            number = max(ends)

    def complete_ms(self, device: str, now: int) -> int:
        """Up to the last day everything of which has arrived by day *now*, 00.15."""
        first_missing = next((n for n in range(-30, now) if self.arrives(device, n) >= now), now)
        at = days.starts(day(first_missing))
        return at + days.SETTLING if first_missing == now else at

    def known_taps(self, now: int) -> list[Tap]:
        """Those that have arrived by then, in the order of arrival."""
        arrived = [(self.arrives(each.device, each.number), each) for each in self.taps]
        return [each.tap for at, each in sorted(arrived, key=lambda pair: (pair[0], pair[1].number)) if at < now]

    def day(self, number: int, now: int) -> EstateDay:
        """What day *number* was like at home, by what has arrived on day *now*."""
        is_able = number not in self.broken and self.arrives(HOME, number) < now
        return estate_day(number, is_able, any(first <= number <= last for first, last in self.calendar))


@cache
def estate_day(number: int, is_able: bool, in_calendar: bool) -> EstateDay:
    able = {days.starts(day(number)) + hour * HOUR: 60 * is_able for hour in range(8, 12)}
    calendar = ((day(number), day(number)),) if in_calendar else ()
    estate = days.Estate("DMG", GO_LIVE, (replace(machine(HOME), able=able),), calendar)
    return days.estate_day(estate, day(number), ABSENCE.days())


def machine(name: str) -> Machine:
    return Machine(name, (Stay(days.starts(LONG_AGO), None, OFFICE),))


@dataclass
class Worker:
    """Evaluates a city day by day at 00.15, as the shell does, and keeps what stands."""

    city: City
    flag: Stands | None = None
    told: frozenset[str] = frozenset()
    said: list[tuple[int, str]] = field(default_factory=list)
    evidence: list[dict[str, object]] = field(default_factory=list)

    def run(self, order: Sequence[int] = ()) -> "Worker":
        for now in range(LAST):
            self.evaluate(now, order)
        return self

    def evaluate(self, now: int, order: Sequence[int] = ()) -> None:
        case, elsewhere = self.case(now, order)
        found = run.conclude(case, self.flag)
        if found.over is not None:
            assert self.flag is not None
            self.said += [(now, str(found.over))] * self.flag.is_open
            self.told |= {self.flag.run}
            self.flag = None
        if found.due is None:
            return
        if self.flag is not None and self.flag.run != found.due.name:
            self.told |= {self.flag.run}
            self.flag = None
        last = -1 if self.flag is None else self.flag.level
        self.said += [(now, RISING[level]) for level in range(last + 1, found.due.level + 1)]
        said = evidence.of_run(found.due.run, elsewhere=elsewhere.of(found.due.run.judged[-1].period))
        if found.due.level > last:
            self.evidence.append(said)
            self.flag = Stands(
                Kind.UNIT_NO_TAPS, "DMG/1", "DMG", found.due.level, found.due.name, 0, is_held=False,
                is_open=found.due.level >= Level.OPEN, evidence=said,
            )  # fmt: skip

    def case(self, now: int, order: Sequence[int]) -> tuple[Case, judgeable.Elsewhere]:
        city, now_ms = self.city, days.starts(day(now)) + days.SETTLING
        ended = periods.ended("DMG", GO_LIVE, POLICIES, now_ms=now_ms)
        sent = [Sent(machine(name), city.complete_ms(name, now)) for name in (HOME, AWAY)]
        taps = shuffled(city.known_taps(now), order)
        leave = tuple((day(first), day(last)) for first, last, known in city.leave if known <= now)
        household = Household((Tenancy(LONG_AGO),), (Card(True, LONG_AGO),), leave)
        elsewhere = judgeable.elsewhere(ended, sent, sent[:1])
        upto = elsewhere.frontier(ended, judgeable.frontier(ended, sent[:1]), taps)
        kept = run.last_judged(self.flag) if self.flag else None
        end = max(upto, sum(period.last <= kept for period in ended) if kept else 0)
        of = {day(number): city.day(number, now) for number in range(P * end)}
        judged = [verdicts.judge(period, household, of, taps) for period in ended[:end]]
        return Case(household, day(now), judged, upto, taps, self.told), elsewhere


def shuffled(taps: list[Tap], order: Sequence[int]) -> list[Tap]:
    """In another order, and some of them twice."""
    if not order:
        return taps
    keyed = sorted(enumerate(taps), key=lambda pair: order[pair[0] % len(order)])
    return [tap for _, tap in keyed] + taps[:3]


def days_of(said: Iterable[tuple[int, str]], what: str) -> list[int]:
    return [number for number, each in said if each == what]


def is_earlier(after: Worker, before: Worker) -> bool:
    """Whether the n-th of any rising line comes earlier, or there are more of them by any day."""
    return any(
        len([n for n in days_of(after.said, what) if n <= now])
        > len([n for n in days_of(before.said, what) if n <= now])
        for what in RISING
        for now in range(LAST)
    )


some_taps = st.frozensets(
    st.builds(Made, st.integers(-8, LAST - 1), st.sampled_from([HOME, HOME, AWAY]), st.sampled_from([0, 0, 0, 1, 5])),
    max_size=7,
)
spans = st.tuples(st.integers(0, LAST), st.integers(0, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))
networks = st.tuples(st.just(HOME), st.integers(0, LAST), st.integers(1, 15)).map(
    lambda each: (each[0], each[1], each[1] + each[2])
)
cities = st.builds(
    City,
    some_taps,
    st.frozensets(st.integers(0, LAST), max_size=6),
    st.lists(spans, max_size=1).map(tuple),
    st.lists(spans.map(lambda span: (*span, 0)), max_size=1).map(tuple),
    st.lists(networks, max_size=1).map(tuple),
)


@settings(max_examples=25, deadline=None)
@given(cities, st.frozensets(st.integers(0, LAST), min_size=1, max_size=12))
def test_lost_able_minutes_never_make_anything_earlier(city: City, broken: frozenset[int]) -> None:
    assert not is_earlier(Worker(replace(city, broken=city.broken | broken)).run(), Worker(city).run())


@settings(max_examples=25, deadline=None)
@given(cities, spans)
def test_a_calendar_row_never_makes_anything_earlier(city: City, row: tuple[int, int]) -> None:
    assert not is_earlier(Worker(replace(city, calendar=(*city.calendar, row))).run(), Worker(city).run())


@settings(max_examples=25, deadline=None)
@given(cities, spans)
def test_a_leave_row_never_makes_anything_earlier(city: City, row: tuple[int, int]) -> None:
    assert not is_earlier(Worker(replace(city, leave=(*city.leave, (*row, 0)))).run(), Worker(city).run())


@settings(max_examples=25, deadline=None)
@given(cities, networks)
def test_a_delay_at_the_own_machine_never_makes_anything_earlier(city: City, network: tuple[str, int, int]) -> None:
    assert not is_earlier(Worker(replace(city, delays=(*city.delays, network))).run(), Worker(city).run())


@settings(max_examples=25, deadline=None)
@given(some_taps, st.integers(1, LAST), st.integers(1, 15))
def test_a_delay_at_a_machine_elsewhere_that_is_named_throughout_never_makes_anything_earlier(
    taps: frozenset[Made], begin: int, length: int
) -> None:
    named = frozenset(Made(P * number, AWAY) for number in range(0, begin // P + 1, 5))
    city = City(taps | named)
    assert not is_earlier(Worker(replace(city, delays=((AWAY, begin, begin + length),))).run(), Worker(city).run())


@settings(max_examples=25, deadline=None)
@given(cities, st.lists(st.integers(0, 9), min_size=1, max_size=9))
def test_the_order_of_arrival_does_not_matter_and_a_duplicate_changes_nothing(city: City, order: list[int]) -> None:
    assert Worker(city).run(order).said == Worker(city).run().said


@settings(max_examples=25, deadline=None)
@given(cities, st.integers(1, LAST - 1))
def test_evaluating_twice_says_nothing_new(city: City, now: int) -> None:
    worker = Worker(city)
    for number in range(now + 1):
        worker.evaluate(number)
    before = list(worker.said)
    worker.evaluate(now)
    assert worker.said == before


@settings(max_examples=25, deadline=None)
@given(cities)
def test_late_data_of_the_own_machine_retracts_nothing(city: City) -> None:
    certain = replace(city, taps=frozenset(replace(each, doubt=0) for each in city.taps))
    assert days_of(Worker(certain).run().said, "retracted") == []


def test_a_tap_after_the_period_that_may_have_been_in_it_retracts() -> None:
    """No late data: it was made after the period, but its uncertain time satisfies that period too."""
    certain, uncertain = (Worker(City(frozenset({Made(12, HOME, doubt)}))).run() for doubt in (0, 1))
    assert certain.said[:3] == [(8, "watch"), (12, "opened"), (13, "closed")]
    assert uncertain.said[:3] == [(8, "watch"), (12, "opened"), (13, "retracted")]


def test_a_tap_delayed_at_a_machine_that_is_not_named_may_open_and_then_retract_and_evidence_says_so() -> None:
    worker = Worker(City(frozenset({Made(10, AWAY)}), delays=((AWAY, 5, 20),))).run()
    assert worker.said[:3] == [(8, "watch"), (12, "opened"), (16, "reminded")]
    assert (21, "retracted") in worker.said
    assert worker.evidence[1]["machines_elsewhere_incomplete"] == [AWAY]


@pytest.mark.parametrize(
    ("city", "said"),
    [
        pytest.param(City(frozenset()), [(8, "watch"), (12, "opened"), (16, "reminded"), (24, "case")], id="silence"),
        pytest.param(
            City(frozenset({Made(13, HOME)})),
            [
                (8, "watch"),
                (12, "opened"),
                (14, "closed"),
                (24, "watch"),
                (28, "opened"),
                (32, "reminded"),
                (40, "case"),
            ],
            id="a tap closes, another run opens",
        ),
        pytest.param(
            City(frozenset(), delays=((HOME, 10, 30),)),
            [(8, "watch"), (31, "opened"), (31, "reminded"), (31, "case")],
            id="what was due meanwhile is said when the network is back",
        ),
        pytest.param(
            City(frozenset(), leave=((0, 11, 14),)),
            [
                (8, "watch"),
                (12, "opened"),
                (14, "retracted"),
                (20, "watch"),
                (24, "opened"),
                (28, "reminded"),
                (36, "case"),
            ],
            id="leave known after the flag",
        ),
    ],
)
def test_whole_stories(city: City, said: list[tuple[int, str]]) -> None:
    assert Worker(city).run().said == said
