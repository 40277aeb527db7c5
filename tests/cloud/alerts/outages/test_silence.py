"""Who is offline, and who is only not known to be online: tables of cases, minutes after one evening."""

import pytest

from cloud.alerts.findings import CITY, Ended
from cloud.alerts.kinds import Ending, Kind
from cloud.alerts.outages import silence
from cloud.alerts.outages.situation import Machine
from cloud.alerts.policy import Device, Policy


def subjects(findings):
    return [finding.subject for finding in findings]


@pytest.mark.parametrize(
    ("heard", "now", "listening", "offline"),
    [
        pytest.param(0, 10, None, False, id="silent for less than its patience"),
        pytest.param(0, 15, None, False, id="exactly its patience"),
        pytest.param(0, 15.001, None, True, id="a moment longer"),
        pytest.param(0, 0.05, None, False, id="a cable pulled for 3 s"),
        pytest.param(0, 600, (590, 600), False, id="ingest restarted 10 min ago"),
        pytest.param(0, 605, (590, 605), False, id="one full patience of listening, exactly"),
        pytest.param(0, 606, (590, 606), True, id="and one minute"),
        pytest.param(0, 60, (-100, 14), False, id="nobody has listened since the 14th minute"),
        pytest.param(0, 60, (-100, 16), True, id="nobody has listened since, but it was overdue by then"),
        pytest.param(20, 5, None, False, id="the clock was set back: heard in the future"),
        pytest.param(0, 5, (100, 200), False, id="the clock was set back: listening since the future"),
        pytest.param(None, 20, (0, 20), True, id="installed, and never heard"),
        pytest.param(None, 15, (0, 15), False, id="never heard, exactly one patience after ingest's start"),
    ],
)
def test_a_machine_is_offline_after_its_patience_and_not_before(hand, heard, now, listening, offline):
    found = list(silence.device_offline(hand.situation(now, hand.machine("DMG-01", heard), listening=listening)))
    assert subjects(found) == (["DMG-01"] if offline else [])


def test_the_days_end_changes_nothing(hand):
    midnight = 17 * 60 - hand.T0 / 60_000 % (24 * 60)
    quiet = hand.machine("DMG-01", midnight - 10)
    assert not list(silence.device_offline(hand.situation(midnight + 5, quiet)))
    assert list(silence.device_offline(hand.situation(midnight + 5.01, quiet)))


def test_a_machine_installed_a_moment_ago_is_not_late(hand):
    fresh = Machine("DMG-01", "DMG", hand.at(-5))
    assert not list(silence.device_offline(hand.situation(0, fresh)))
    assert list(silence.device_offline(hand.situation(10.1, fresh)))


def test_what_was_heard_of_it_before_it_was_installed_here_makes_it_no_later(hand):
    moved = Machine("DMG-01", "DMG", hand.at(-5), hand.at(-500), hand.beat())
    assert not list(silence.device_offline(hand.situation(0, moved)))
    assert list(silence.device_offline(hand.situation(10.1, moved)))


def test_a_goodbye_or_will_is_not_judged_sooner(hand):
    gone = Machine("DMG-01", "DMG", 0, hand.at(0), hand.beat(), gone_ms=hand.at(0))
    assert not list(silence.device_offline(hand.situation(15, gone)))


def test_patience_is_never_shorter_than_three_heartbeats(hand):
    slow = {"": Policy(device=Device(heartbeat_s=1800))}
    quiet = hand.machine("DMG-01", 0)
    assert not list(silence.device_offline(hand.situation(90, quiet, policies=slow)))
    assert list(silence.device_offline(hand.situation(91, quiet, policies=slow)))


def test_an_estates_own_policy_holds_for_its_machines(hand):
    own = {"": Policy(), "DMG": Policy(device=Device(offline_min=60))}
    quiet = [hand.machine("DMG-01", 0), hand.machine("PSK-01", 0)]
    assert subjects(silence.device_offline(hand.situation(30, *quiet, policies=own))) == ["PSK-01"]


def test_a_restart_of_ingest_is_no_return_of_a_machine(hand):
    dead = hand.machine("DMG-01", 0)
    first = list(silence.device_offline(hand.situation(16, dead)))
    again = hand.situation(100, dead, listening=(99, 100), standing=hand.stands(*first))
    assert list(silence.device_offline(again)) == first
    back = hand.machine("DMG-01", 99.5)
    assert not list(
        silence.device_offline(hand.situation(100, back, listening=(99, 100), standing=hand.stands(*first)))
    )


def test_the_evidence_keeps_the_last_words_of_the_machine(hand):
    (found,) = silence.device_offline(hand.situation(20, hand.machine("DMG-01", 0, backlog=7, uptime_s=60)))
    assert found.since_ms == hand.at(0)
    assert found.evidence == {
        "heard_ms": hand.at(0),
        "gone_ms": None,
        "boot": hand.BOOT,
        "uptime_s": 60,
        "backlog": 7,
    }


# ---- estates ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "now", "dark"),
    [
        pytest.param([0], 60, False, id="one machine: its own flag says it"),
        pytest.param([0, 0], 15, False, id="both exactly at their patience"),
        pytest.param([0, 0.4], 15.1, True, id="the second not overdue yet, but without a sign of life"),
        pytest.param([0, 13], 15.1, False, id="the second heard two minutes ago"),
        pytest.param([0, 59], 60, False, id="one of two lives"),
        pytest.param([0, 20, 30], 46, True, id="one after the other"),
    ],
)
def test_an_estate_is_offline_when_none_of_its_machines_is_heard(hand, heard, now, dark):
    machines = [hand.machine(f"DMG-{number:02}", minute) for number, minute in enumerate(heard, 1)]
    found = list(silence.estate_offline(hand.situation(now, *machines)))
    assert subjects(found) == (["DMG"] if dark else [])


def test_an_estate_stays_dark_through_a_restart_of_ingest_and_when_a_machine_is_added(hand):
    machines = [hand.machine("DMG-01", 0), hand.machine("DMG-02", 1)]
    standing = hand.stands(*silence.estate_offline(hand.situation(20, *machines)))
    assert len(standing) == 1
    added = Machine("DMG-03", "DMG", hand.at(99))
    later = hand.situation(100, *machines, added, listening=(99, 100), standing=standing)
    assert subjects(silence.estate_offline(later)) == ["DMG"]
    one_back = hand.situation(100, machines[0], hand.machine("DMG-02", 99.9), standing=standing)
    assert not list(silence.estate_offline(one_back))


@pytest.mark.parametrize(
    ("left", "ends"),
    [
        pytest.param(["DMG-01", "DMG-02"], [], id="nothing was removed"),
        pytest.param(
            ["DMG-01"],
            [
                Ended(Kind.DEVICE_OFFLINE, "DMG-02", Ending.CLOSED, {"reason": "removed"}),
                Ended(Kind.ESTATE_OFFLINE, "DMG", Ending.SUPERSEDED, {"reason": "one_machine"}),
            ],
            id="one machine is left",
        ),
        pytest.param(
            [],
            [
                Ended(Kind.DEVICE_OFFLINE, "DMG-02", Ending.CLOSED, {"reason": "removed"}),
                Ended(Kind.ESTATE_OFFLINE, "DMG", Ending.CLOSED, {"reason": "removed"}),
            ],
            id="none is left",
        ),
    ],
)
def test_what_was_removed_is_offline_no_more(hand, left, ends):
    both = hand.situation(60, hand.machine("DMG-01", 59), hand.machine("DMG-02", 0))
    dark = hand.situation(60, hand.machine("DMG-01", 0), hand.machine("DMG-02", 0))
    standing = hand.stands(*silence.device_offline(both), *silence.estate_offline(dark))
    now = hand.situation(61, *(hand.machine(name, 0) for name in left), standing=standing)
    assert sorted(silence.removed(now), key=lambda each: each.kind) == ends


# ---- half the city ---------------------------------------------------------------------------------------------------


def fleet(hand, heard):
    return [hand.machine(f"E{number:02}-01", minute) for number, minute in enumerate(heard)]


@pytest.mark.parametrize(
    ("heard", "now", "wide"),
    [
        pytest.param([0, 1, 2, 15, 15, 15], 15, 3, id="exactly half, within ten minutes"),
        pytest.param([0, 0, 15, 15, 15], 15, 0, id="two of five"),
        pytest.param([0, 0, 0, 15], 15, 0, id="too few machines to speak of a wide outage"),
        pytest.param([0, 5, 10, 11, 11, 11], 14, 3, id="the last of them ten minutes after the first"),
        pytest.param([0, 5, 10.1, 15, 15, 15], 15, 0, id="the last of them later than that"),
        pytest.param([0, 0, 0, 0, 0, 0], 10, 0, id="silent for ten minutes: not yet"),
        pytest.param([0, 0, 0, 0, 0, 0], 10.1, 6, id="and a moment: before the first is called offline"),
        pytest.param([None, None, None, None, 0, 30], 30, 0, id="those never heard were never up"),
        pytest.param([-500, -400, -300, 15, 15], 15, 0, id="broken one by one long ago"),
    ],
)
def test_many_machines_that_fall_silent_together_are_one_outage(hand, heard, now, wide):
    found = list(silence.wide_outage(hand.situation(now, *fleet(hand, heard))))
    assert [len(finding.evidence["machines"]) for finding in found] == ([wide] if wide else [])


def test_machines_known_to_be_broken_were_not_up(hand):
    machines = fleet(hand, [-500, -500, -500, -500, 0, 0, 0, 13, 13])
    broken = list(silence.device_offline(hand.situation(0, *machines[:4])))
    assert len(broken) == 4
    (found,) = silence.wide_outage(hand.situation(14, *machines, standing=hand.stands(*broken)))
    assert (found.subject, sorted(found.evidence["machines"])) == (CITY, ["E04-01", "E05-01", "E06-01"])


@pytest.mark.parametrize(
    ("back", "goes_on"), [pytest.param(3, True, id="half are back"), pytest.param(4, False, id="more than half")]
)
@pytest.mark.parametrize("listening", [pytest.param((-9000, 100), id="all along"), pytest.param((99, 100), id="anew")])
def test_a_wide_outage_goes_on_until_more_than_half_are_back(hand, back, goes_on, listening):
    standing = hand.stands(*silence.wide_outage(hand.situation(12, *fleet(hand, [0] * 6))))
    later = fleet(hand, [99] * back + [0] * (6 - back))
    again = [
        hand.situation(100, *later, listening=listening, standing=standing),
        hand.situation(100, *later, listening=listening, standing=standing),
    ]
    found = [list(silence.wide_outage(each)) for each in again]
    assert found[0] == found[1]
    assert [finding.evidence["machines"] for finding in found[0]] == (
        [standing[Kind.WIDE_OUTAGE, CITY].evidence["machines"]] if goes_on else []
    )
