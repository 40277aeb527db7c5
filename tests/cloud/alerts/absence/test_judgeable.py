"""Rule 4: whose records must be complete before a period can be judged."""

from datetime import date, timedelta

import pytest

from cloud import days
from cloud.alerts.absence import judgeable, periods
from cloud.alerts.absence.judgeable import Sent
from cloud.alerts.absence.verdicts import Tap
from cloud.alerts.policy import Policies
from cloud.days import HOUR, MINUTE, Machine, Stay

GO_LIVE = date(2026, 1, 1)
LONG_AGO = days.starts(date(2025, 1, 1))
SETTLED = 15 * MINUTE
EVERY = periods.ended("DMG", GO_LIVE, Policies(), now_ms=days.starts(GO_LIVE + timedelta(days=140)))


def end(number: int) -> int:
    """When period *number* is over."""
    return EVERY[number].end_ms


def day(number: int) -> date:
    return GO_LIVE + timedelta(days=number)


def machine(
    name: str,
    complete_ms: int | None,
    *,
    since: int = LONG_AGO,
    until: int | None = None,
    lost: tuple[int, int] = (0, 0),
) -> Sent:
    given_up = ((day(lost[0]), day(lost[1])),) if lost != (0, 0) else ()
    return Sent(Machine(name, (Stay(since, until),), declared_lost=given_up), complete_ms)


OWN = machine("DMG-01", end(9) + SETTLED)


@pytest.mark.parametrize(
    ("machines", "count"),
    [
        pytest.param([], 10, id="no machine at all: what is over can be judged"),
        pytest.param([machine("A-01", end(2) + SETTLED)], 3, id="complete to the minute"),
        pytest.param([machine("A-01", end(2) + SETTLED - 1)], 2, id="one ms short"),
        pytest.param([machine("A-01", None)], 0, id="never complete"),
        pytest.param([OWN, machine("A-02", end(4) + SETTLED)], 5, id="the least complete decides"),
        pytest.param([machine("A-01", end(3) - HOUR, until=end(3) - HOUR)], 10, id="complete to its removal"),
        pytest.param([machine("A-01", end(3) - HOUR - 1, until=end(3) - HOUR)], 3, id="not quite to its removal"),
        pytest.param([machine("A-01", end(3), until=end(3) + MINUTE)], 3, id="removed within the 15 minutes"),
        pytest.param([machine("A-01", end(3) + MINUTE, until=end(3) + MINUTE)], 10, id="complete to a removal in them"),
        pytest.param([machine("A-01", None, since=end(4))], 5, id="installed after the fifth period"),
        pytest.param(
            [machine("A-01", None, until=end(1), since=end(0))], 1, id="installed for one period, never complete"
        ),
        pytest.param([machine("A-01", end(1) + SETTLED, lost=(28, 41))], 3, id="declared lost for all of the third"),
        pytest.param([machine("A-01", end(1) + SETTLED, lost=(28, 40))], 2, id="but not for its last day"),
        pytest.param([machine("A-01", end(1) + 3 * days.DAY, lost=(31, 41))], 3, id="lost for the days it is not"),
        pytest.param([machine("A-01", end(1) + 3 * days.DAY - 1, lost=(31, 41))], 2, id="a day of them is neither"),
    ],
)
def test_periods_can_be_judged_as_far_as_the_own_machines_go(machines: list[Sent], count: int) -> None:
    assert judgeable.frontier(EVERY, machines) == count


def other(complete_ms: int | None, **more: object) -> Sent:
    return machine("PSK-01", complete_ms, **more)


TAP_IN_FIRST = [Tap.on(day(5), "PSK-01")]


@pytest.mark.parametrize(
    ("sent", "taps", "count"),
    [
        pytest.param(other(end(9) + SETTLED), TAP_IN_FIRST, 10, id="complete"),
        pytest.param(other(end(2)), [], 10, id="nobody of the household taps there"),
        pytest.param(other(end(2)), [Tap.on(day(5), "DMG-01")], 10, id="they tap at home"),
        pytest.param(other(end(2)), TAP_IN_FIRST, 2, id="tapped there two periods before"),
        pytest.param(other(None), TAP_IN_FIRST, 1, id="of the very period it says nothing"),
        pytest.param(other(end(8)), TAP_IN_FIRST, 10, id="more than six periods before"),
        pytest.param(other(end(6)), TAP_IN_FIRST, 6, id="six periods before"),
        pytest.param(other(end(7)), [Tap.on(day(13), "PSK-01")], 10, id="seven periods before, on its last day"),
        pytest.param(other(end(7)), [Tap.on(day(14), "PSK-01")], 7, id="six periods before, on its first day"),
        pytest.param(other(end(7)), [Tap(day(13), day(10), day(16), "PSK-01")], 7, id="six before, perhaps"),
        pytest.param(other(end(4) - HOUR, until=end(4) - HOUR), TAP_IN_FIRST, 10, id="complete to its removal"),
        pytest.param(other(end(0) - HOUR, until=end(0) - MINUTE), TAP_IN_FIRST, 1, id="removed before, incomplete"),
        pytest.param(
            other(end(0) - HOUR, until=end(0) - MINUTE, lost=(13, 13)), TAP_IN_FIRST, 10,
            id="removed before, the rest declared lost",
        ),
        pytest.param(other(end(0), lost=(14, 139)), TAP_IN_FIRST, 10, id="declared lost since"),
    ],
)  # fmt: skip
def test_a_machine_elsewhere_is_waited_for_if_a_card_of_the_unit_tapped_there_lately(
    sent: Sent, taps: list[Tap], count: int
) -> None:
    elsewhere = judgeable.elsewhere(EVERY, [OWN, sent], [OWN])
    assert elsewhere.frontier(EVERY, 10, taps) == count


def test_a_machine_that_stood_here_and_went_elsewhere_is_waited_for_there() -> None:
    moved = end(3)
    whole = Sent(Machine("DMG-02", (Stay(LONG_AGO, moved), Stay(moved, None))), moved)
    here = Sent(Machine("DMG-02", (Stay(LONG_AGO, moved),)), moved)
    elsewhere = judgeable.elsewhere(EVERY, [OWN, whole], [OWN, here])
    assert judgeable.frontier(EVERY, [OWN, here]) == 10
    assert elsewhere.frontier(EVERY, 10, [Tap.on(day(50), "DMG-02")]) == 4
    assert elsewhere.frontier(EVERY, 10, []) == 10


def test_evidence_names_every_machine_elsewhere_that_still_holds_something_of_a_period() -> None:
    elsewhere = judgeable.elsewhere(EVERY, [OWN, other(end(3)), machine("TMB-01", None)], [OWN])
    assert elsewhere.of(EVERY[2]) == ["TMB-01"]
    assert elsewhere.of(EVERY[3]) == ["PSK-01", "TMB-01"]
