"""How a machine says it is: clock, disk, queue, reader. Tables of cases."""

import pytest

from cloud.alerts.kinds import Severity
from cloud.alerts.outages import condition
from cloud.alerts.outages.situation import Reads, Tried
from cloud.records.signs import Lapse, Signs

MINUTE = 60_000
HOUR = 60 * MINUTE


def offsets(hand, *seconds):
    """One reading each half minute, the last one now."""
    start = -(len(seconds) - 1) / 2
    return Signs(offsets_ms=tuple((hand.at(start + n / 2), 1000 * s) for n, s in enumerate(seconds)))


# ---- clock -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said", "wrong", "goes_on"),
    [
        pytest.param([120], {}, False, True, id="two minutes exactly: flagged no more, if not yet"),
        pytest.param([121], {}, True, True, id="a second more"),
        pytest.param([-121], {}, True, True, id="behind"),
        pytest.param([31] * 10, {}, False, True, id="above the warning: a flag goes on, none is opened"),
        pytest.param([30] * 10, {}, False, False, id="at the warning: it is over"),
        pytest.param([0, 0, 0, 0, 0, 0, 900, 900, 900, 900], {}, False, False, id="four of ten heartbeats"),
        pytest.param([0, 0, 0, 0, 900, 900, 900, 900, 900, 900], {}, True, True, id="six of ten"),
        pytest.param([0], {"clock": "untrusted", "uptime_s": 900}, False, False, id="untrusted for just so long"),
        pytest.param([0], {"clock": "untrusted", "uptime_s": 901}, True, True, id="untrusted for longer"),
        pytest.param([-831_600_000], {"clock": "untrusted", "uptime_s": 20}, True, True, id="the year 2000"),
    ],
)
def test_a_clock_is_wrong_by_the_median_of_its_last_readings(hand, seconds, said, wrong, goes_on):
    machine = hand.machine("DMG-01", 0, signs=offsets(hand, *seconds), **said)
    assert bool(list(condition.clock_skew(hand.situation(0, machine)))) is wrong
    bad = hand.situation(-5, hand.machine("DMG-01", -5, signs=offsets(hand, 999)))
    standing = hand.stands(*condition.clock_skew(bad))
    assert bool(list(condition.clock_skew(hand.situation(0, machine, standing=standing)))) is goes_on


def test_readings_of_half_an_hour_ago_say_nothing_of_the_clock_now(hand):
    signs = Signs(offsets_ms=((hand.at(-30), 900_000), (hand.at(-29), 900_000), (hand.at(0), 0)))
    assert not list(condition.clock_skew(hand.situation(0, hand.machine("DMG-01", 0, signs=signs))))


def test_without_readings_the_last_heartbeat_speaks(hand):
    machine = hand.machine("DMG-01", 0, at=hand.at(-10))
    (found,) = condition.clock_skew(hand.situation(0, hand.machine("DMG-01", 0, clock_offset_ms=-600_000)))
    assert found.evidence["offset_ms"] == -600_000
    assert next(condition.clock_skew(hand.situation(0, machine))).evidence["offset_ms"] == -600_000


# ---- disk ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "severity", "goes_on"),
    [
        pytest.param({"disk_free_pct": 10.0}, None, Severity.P2, id="a tenth free, exactly"),
        pytest.param({"disk_free_pct": 9.9}, Severity.P2, Severity.P2, id="less than a tenth"),
        pytest.param({"disk_free_pct": 5.0}, Severity.P2, Severity.P2, id="a twentieth, exactly"),
        pytest.param({"disk_free_pct": 4.9}, Severity.P1, Severity.P1, id="less than a twentieth"),
        pytest.param({"disk_free_pct": 24.9}, None, Severity.P2, id="between low and clear"),
        pytest.param({"disk_free_pct": 25.0}, None, None, id="clear"),
        pytest.param({"disk_free_pct": 20.0, "refused": 1}, Severity.P1, Severity.P1, id="taps refused for want of it"),
        pytest.param({"disk_free_pct": 60.0, "refused": 1}, None, None, id="taps refused once, with room again"),
        pytest.param(
            {"disk_free_pct": 60.0, "refused": 1, "oldest": 61}, Severity.P1, Severity.P1, id="refused: a full queue"
        ),
    ],
)  # fmt: skip
def test_a_disk_is_low_until_it_is_clear(hand, said, severity, goes_on):
    told = {name: value for name, value in said.items() if name != "oldest"}
    if "oldest" in said:
        told["oldest_unsent"] = hand.at(-said["oldest"])
    machine = hand.machine("DMG-01", 0, **told)
    standing = hand.stands(*condition.storage_low(hand.situation(-5, hand.machine("DMG-01", -5, disk_free_pct=1.0))))
    for known, expected in (({}, severity), (standing, goes_on)):
        found = list(condition.storage_low(hand.situation(0, machine, standing=known)))
        assert [each.urgency for each in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("readings", "left"),
    [
        pytest.param([], None, id="nothing known"),
        pytest.param([(0, 30.0)], None, id="one reading"),
        pytest.param([(0, 30.0), (23, 10.0)], None, id="too short a time"),
        pytest.param([(0, 30.0), (24, 20.0)], 48, id="ten points a day"),
        pytest.param([(0, 20.0), (24, 20.0)], None, id="steady"),
        pytest.param([(0, 20.0), (24, 30.0)], None, id="freed"),
        pytest.param([(0, 90.0), (12, 20.0), (48, 30.0)], 24, id="from the first to the last"),
    ],
)
def test_the_hours_left_go_on_as_the_last_days_did(readings, left):
    assert condition.hours_left([(hour * HOUR, free) for hour, free in readings]) == left


@pytest.mark.parametrize(
    ("free", "filling"),
    [pytest.param((44.0, 24.0), True, id="two days left"), pytest.param((25.0, 24.0), False, id="weeks left")],
)  # fmt: skip
def test_a_disk_that_will_soon_be_full_is_told_of_before_it_is_low(hand, free, filling):
    signs = Signs(free_pct=((hand.at(-24 * 60), free[0]), (hand.at(0), free[1])))
    machine = hand.machine("DMG-01", 0, disk_free_pct=free[1], signs=signs)
    assert bool(list(condition.storage_low(hand.situation(0, machine)))) is filling


# ---- queue -----------------------------------------------------------------------------------------------------------

DAY_MIN = 24 * 60


@pytest.mark.parametrize(
    ("oldest", "said", "lapse", "stuck"),
    [
        pytest.param(None, {}, None, False, id="nothing unsent"),
        pytest.param(-DAY_MIN, {}, None, False, id="a day old, exactly"),
        pytest.param(-DAY_MIN - 1, {}, None, True, id="a minute older"),
        pytest.param(-9 * DAY_MIN, {}, (-9 * DAY_MIN, -30), False, id="back for half an hour after nine days"),
        pytest.param(-9 * DAY_MIN, {}, (-9 * DAY_MIN, -60), True, id="back for an hour, and still not rid of it"),
        pytest.param(-99 * DAY_MIN, {"at": -99 * DAY_MIN}, None, False, id="old by a clock that is 99 days behind"),
        pytest.param(-10, {"at": 99 * DAY_MIN}, None, False, id="young, by a clock that is 99 days ahead"),
    ],
)
def test_a_queue_is_stuck_when_a_machine_that_is_heard_does_not_get_rid_of_a_record(hand, oldest, said, lapse, stuck):
    told = {name: hand.at(minute) for name, minute in said.items()}
    signs = Signs(lapses=(Lapse(*map(hand.at, lapse)),) if lapse else ())
    unsent = None if oldest is None else hand.at(oldest)
    machine = hand.machine("DMG-01", 0, oldest_unsent=unsent, backlog=3, signs=signs, **told)
    found = list(condition.queue_stuck(hand.situation(0, machine)))
    assert [each.evidence["backlog"] for each in found] == ([3] if stuck else [])
    assert not list(condition.queue_stuck(hand.situation(60, machine))), "one that is silent is offline, not stuck"


# ---- reader ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        pytest.param({}, None, id="all is well"),
        pytest.param({"fault": -15}, None, id="failing for as long as patience lasts"),
        pytest.param({"fault": -15.1}, "fault", id="failing for longer"),
        pytest.param({"tried": True}, None, id="a self-test that went well"),
        pytest.param({"tried": False}, "self_test", id="a self-test that failed"),
        pytest.param({"reads": 9.1}, None, id="nothing read where nine were expected"),
        pytest.param({"reads": 9.2}, "no_reads", id="nothing read where that is as improbable as 1 in 10,000"),
    ],
)
def test_a_reader_fails_by_its_own_word_by_a_test_or_by_reading_nothing(hand, said, cause):
    known = {}
    if "fault" in said:
        known |= {"reader": "fault", "signs": Signs(fault_since_ms=hand.at(said["fault"]))}
    if "tried" in said:
        known["tried"] = Tried(hand.at(-60), said["tried"])
    if "reads" in said:
        known["reads"] = Reads(hand.at(-300), said["reads"])
    found = list(condition.reader_fault(hand.situation(0, hand.machine("DMG-01", 0, **known))))
    assert [each.evidence["cause"] for each in found] == ([cause] if cause else [])


def test_since_when_a_reader_reads_nothing_is_told_in_quarters_of_a_day(hand):
    """The last read was somebody's tap."""
    for minutes in (-300, -299, -33):
        deaf = hand.machine("DMG-01", 0, reads=Reads(hand.at(minutes), 12.0))
        (found,) = condition.reader_fault(hand.situation(0, deaf))
        assert found.since_ms <= hand.at(minutes) < found.since_ms + 6 * 3_600_000
        assert (found.since_ms + 7 * 3_600_000) % (6 * 3_600_000) == 0


@pytest.mark.parametrize(
    ("reads", "goes_on"),
    [
        pytest.param(Reads(-300, 0.0), True, id="nothing read since"),
        pytest.param(Reads(-60, 0.0), False, id="read an hour ago"),
        pytest.param(None, False, id="read just now"),
    ],
)
def test_a_reader_that_read_nothing_is_well_again_with_its_next_read(hand, reads, goes_on):
    deaf = hand.machine("DMG-01", -5, reads=Reads(hand.at(-300), 12.0))
    standing = hand.stands(*condition.reader_fault(hand.situation(-5, deaf)))
    known = reads and Reads(hand.at(reads.last_ms), reads.expected)
    now = hand.situation(0, hand.machine("DMG-01", 0, reads=known), standing=standing)
    assert bool(list(condition.reader_fault(now))) is goes_on


@pytest.mark.parametrize(
    "rule", [condition.clock_skew, condition.storage_low, condition.queue_stuck, condition.reader_fault]
)
def test_silence_neither_opens_nor_heals_what_a_machine_said_of_itself(hand, rule):
    ill = hand.machine(
        "DMG-01", 0, disk_free_pct=1.0, oldest_unsent=hand.at(-3000), reader="fault",
        signs=Signs(offsets_ms=((hand.at(0), 999_000),), fault_since_ms=hand.at(-99)),
    )  # fmt: skip
    first = list(rule(hand.situation(1, ill)))
    assert len(first) == 1
    assert not list(rule(hand.situation(60, ill)))
    assert list(rule(hand.situation(60, ill, standing=hand.stands(*first)))) == first


def test_while_nobody_listens_a_last_word_opens_nothing(hand):
    ill = hand.machine("DMG-01", 0, disk_free_pct=1.0)
    assert list(condition.storage_low(hand.situation(1, ill, listening=(-100, 0))))
    assert not list(condition.storage_low(hand.situation(2, ill, listening=(-100, 0))))
