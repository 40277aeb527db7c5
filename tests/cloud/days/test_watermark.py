"""Rule 2, by table: up to when a machine's record is complete."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud import days
from cloud.days import Gap, Machine, Outbox, Proof, Stay
from contract.ranges import Ranges

DAY = date(2026, 5, 12)
NOON = days.starts(DAY) + 12 * days.HOUR
BASE = {"b1": NOON, "b2": NOON + days.HOUR}
THIRD = DAY + timedelta(days=2)
WEEK_LOST = ((DAY, DAY + timedelta(days=6)),)


def later(number: int) -> int:
    return NOON + number * days.DAY


@dataclass(frozen=True)
class Case:
    outboxes: list[Outbox]
    proofs: list[Proof]
    expected: int | None
    lost: tuple[days.DaySpan, ...] = ()
    base: Mapping[str, int] = field(default_factory=lambda: BASE)


def outbox(name: str, upto: int = 10, **more: object) -> Outbox:
    given: dict[str, object] = {"first_fact_ms": NOON, "settled": Ranges.upto(upto), **more}
    return Outbox(name, **given)  # type: ignore[arg-type]


def gap(before: int | None, after: int | None) -> Outbox:
    """Seqs 4-5 of 10 are missing, between records made on these days."""
    settled = Ranges(((1, 3), (6, 10)))
    made = [None if number is None else later(number) for number in (before, after)]
    return outbox("a", settled=settled, gaps=(Gap(4, 5, *made),))


ONE = Proof("a", 10, "b1", 60)
OF_B = Proof("b", 3, "b2", 60)
A_CLOSED = outbox("a", closed_at_seq=10)
B = outbox("b", 3, first_fact_ms=NOON + 1)
PROVEN_A = NOON + 60_000
PROVEN_B = NOON + days.HOUR + 60_000

CASES = {
    "nothing-heard": Case([], [], None),
    "records-alone-prove-nothing": Case([outbox("a")], [], None),
    "all-arrived": Case([outbox("a")], [ONE], PROVEN_A),
    "more-arrived-than-told": Case([outbox("a", 12)], [ONE], PROVEN_A),
    "the-last-seq-is-missing": Case([outbox("a", 9)], [ONE], None),
    "a-gap-below": Case([outbox("a", settled=Ranges(((1, 4), (6, 10))))], [ONE], None),
    "an-earlier-proof-holds": Case([outbox("a", 9)], [ONE, Proof("a", 9, "b1", 30)], NOON + 30_000),
    "nothing-made-yet": Case([outbox("a", 0)], [Proof("a", 0, "b1", 5)], NOON + 5_000),
    "the-latest-making-whatever-its-seq": Case([outbox("a")], [ONE, Proof("a", 3, "b2", 9)], NOON + days.HOUR + 9_000),
    "an-unknown-boot-proves-nothing": Case([outbox("a")], [Proof("a", 1, "b9", 9)], None),
    "a-proof-of-an-unknown-outbox-proves-nothing": Case([outbox("a")], [Proof("z", 1, "b1", 9)], None),
    "lost-gap-on-a-lost-day": Case([gap(0, 0)], [ONE], PROVEN_A, WEEK_LOST),
    "lost-gap-over-lost-days": Case([gap(0, 6)], [ONE], PROVEN_A, WEEK_LOST),
    "lost-gap-ends-outside": Case([gap(0, 7)], [ONE], None, WEEK_LOST),
    "lost-gap-begins-outside": Case([gap(-1, 0)], [ONE], None, WEEK_LOST),
    "lost-gap-over-a-day-between-that-is-not": Case([gap(0, 2)], [ONE], None, ((DAY, DAY), (THIRD, THIRD))),
    "lost-gap-nothing-before": Case([gap(None, 0)], [ONE], None, WEEK_LOST),
    "lost-gap-nothing-after": Case([gap(0, None)], [ONE], None, WEEK_LOST),
    "gap-without-a-declaration": Case([gap(0, 0)], [ONE], None),
    "a-later-outbox-waits-for-the-earlier": Case([outbox("a"), B], [ONE, OF_B], PROVEN_A),
    "the-earlier-is-closed": Case([A_CLOSED, B], [ONE, OF_B], PROVEN_B),
    "the-earlier-is-closed-and-was-never-proven": Case([A_CLOSED, B], [OF_B], PROVEN_B),
    "the-earlier-is-closed-but-lacks-a-seq": Case([outbox("a", 9, closed_at_seq=10), B], [OF_B], None),
    "the-earlier-was-empty": Case([outbox("a", 0, closed_at_seq=0), B], [OF_B], PROVEN_B),
    "earlier-is-whose-first-fact-arrived-first": Case([B, outbox("a", first_fact_ms=NOON + 2)], [ONE, OF_B], PROVEN_B),
    "the-order-given-does-not-matter": Case([B, A_CLOSED], [OF_B, ONE], PROVEN_B),
    "the-days-between-are-lost": Case(
        [outbox("a", 9), outbox("b", 3, first_fact_ms=later(3), first_record_ms=later(2))],
        [Proof("a", 9, "b1", 0), OF_B],
        PROVEN_B,
        WEEK_LOST,
    ),
    "a-day-between-is-not-lost": Case(
        [outbox("a", 9), outbox("b", 3, first_fact_ms=later(9), first_record_ms=later(7))],
        [Proof("a", 9, "b1", 0), OF_B],
        NOON,
        WEEK_LOST,
    ),
    "lost-days-without-a-proof-begin-with-the-first-fact": Case(
        [outbox("a", 0), outbox("b", 3, first_fact_ms=later(1))], [OF_B], PROVEN_B, WEEK_LOST
    ),
    "lost-days-end-with-the-first-fact-of-a-new-outbox-without-records": Case(
        [outbox("a"), outbox("b", 0, first_fact_ms=later(8))], [ONE, Proof("b", 0, "b2", 9)], PROVEN_A, WEEK_LOST
    ),
    "lost-days-end-with-the-next-outbox-not-with-the-last": Case(
        [
            outbox("a", 9),
            outbox("b", 3, first_fact_ms=later(1), closed_at_seq=3),
            outbox("c", 0, first_fact_ms=later(9)),
        ],
        [Proof("a", 9, "b1", 0), OF_B],
        PROVEN_B,
        WEEK_LOST,
    ),
    "a-chain-of-three": Case(
        [A_CLOSED, outbox("b", 3, first_fact_ms=NOON + 1, closed_at_seq=3), outbox("c", 1, first_fact_ms=NOON + 2)],
        [ONE, OF_B, Proof("c", 1, "b2", 90)],
        NOON + days.HOUR + 90_000,
    ),
    "a-chain-broken-in-the-middle": Case(
        [A_CLOSED, B, outbox("c", 1, first_fact_ms=NOON + 2)], [ONE, OF_B, Proof("c", 1, "b2", 90)], PROVEN_B
    ),
    "a-later-outbox-never-lowers-what-is-proven": Case(
        [A_CLOSED, B], [Proof("a", 1, "b2", 500)], NOON + days.HOUR + 500_000
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_complete_up_to(case: Case) -> None:
    assert days.complete(case.outboxes, case.proofs, case.base, declared_lost=case.lost) == case.expected


@given(st.sets(st.integers(1, 12)), st.lists(st.tuples(st.integers(0, 12), st.integers(0, 500)), max_size=6))
def test_one_more_arrival_never_takes_the_watermark_back(arrived: set[int], told: list[tuple[int, int]]) -> None:
    proofs = [Proof("a", last_seq, "b1", uptime) for last_seq, uptime in told]
    before = days.complete([outbox("a", settled=Ranges.single(arrived))], proofs, BASE)
    after = days.complete([outbox("a", settled=Ranges.single(arrived | {1 + len(arrived)}))], proofs, BASE)
    assert before is None or (after is not None and after >= before)


def machine(removed_ms: int | None = None, lost: tuple[days.DaySpan, ...] = (), installed_ms: int = 0) -> Machine:
    return Machine("DMG-01", (Stay(installed_ms, removed_ms),), declared_lost=lost)


END = days.starts(DAY + timedelta(days=1))


@pytest.mark.parametrize(
    ("subject", "complete_ms", "expected"),
    [
        (machine(), END + days.SETTLING, True),
        (machine(), END + days.SETTLING - 1, False),
        (machine(), None, False),
        (machine(removed_ms=NOON), NOON, True),
        (machine(removed_ms=NOON), NOON - 1, False),
        (machine(removed_ms=days.starts(DAY)), None, True),
        (machine(installed_ms=END), None, True),
        (machine(lost=((DAY, DAY),)), None, True),
        (machine(lost=WEEK_LOST), None, True),
        (machine(lost=((DAY + timedelta(1), DAY + timedelta(9)),)), END, False),
    ],
    ids=[
        "a-quarter-of-an-hour-past-its-end",
        "just-before-that",
        "never-complete",
        "complete-to-its-removal",
        "not-quite-to-its-removal",
        "removed-before",
        "installed-after",
        "declared-lost",
        "declared-lost-with-others",
        "another-day-declared-lost",
    ],
)
def test_a_day_is_settled(subject: Machine, complete_ms: int | None, expected: bool) -> None:
    assert days.is_settled(subject, complete_ms, (DAY, DAY)) is expected


def test_a_machine_that_will_come_back_is_settled_when_it_left() -> None:
    stays = (Stay(0, NOON - days.HOUR), Stay(NOON - days.MINUTE, NOON), Stay(END + days.DAY, None))
    assert days.is_settled(Machine("DMG-01", stays), NOON, (DAY, DAY))
    assert not days.is_settled(Machine("DMG-01", stays), NOON - 1, (DAY, DAY))


def test_a_window_settles_a_quarter_of_an_hour_after_its_end() -> None:
    assert days.SETTLING == 15 * 60 * 1000


def test_of_a_longer_window_only_the_days_not_reached_must_be_lost() -> None:
    window = (DAY - timedelta(days=2), DAY)
    reached = days.starts(DAY)
    assert days.is_settled(machine(lost=((DAY, DAY),)), reached, window)
    assert not days.is_settled(machine(lost=((DAY, DAY),)), reached - 1, window)
