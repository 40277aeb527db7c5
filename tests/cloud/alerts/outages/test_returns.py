"""A return shows whether power or network had failed."""

import pytest

from cloud.alerts.kinds import Kind
from cloud.alerts.outages import returns, silence


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        pytest.param({"uptime_s": 90_000}, "jaringan", id="the same boot"),
        pytest.param({"boot": "other", "uptime_s": 60}, "listrik", id="a new boot of a minute ago"),
        pytest.param({"boot": "other", "uptime_s": 99_999}, "jaringan", id="another boot that ran all the while"),
    ],
)
def test_a_new_boot_means_power_the_same_one_network(hand, said, cause):
    before = hand.situation(20, hand.machine("DMG-01", 0))
    standing = hand.stands(*silence.device_offline(before))
    told = said | ({"boot": hand.OTHER_BOOT} if "boot" in said else {})
    now = hand.situation(31, hand.machine("DMG-01", 30, backlog=4, **told), standing=standing)
    assert returns.returned(now) == {
        (Kind.DEVICE_OFFLINE, "DMG-01"): {
            "cause": cause,
            "uptime_s": said["uptime_s"],
            "backlog": 4,
            "silent_since_ms": hand.at(0),
        }
    }


def test_of_an_estate_it_is_said_how_many_are_back(hand):
    machines = [hand.machine("DMG-01", 0), hand.machine("DMG-02", 0)]
    standing = hand.stands(*silence.estate_offline(hand.situation(20, *machines)))
    assert returns.returned(hand.situation(21, *machines, standing=standing)) == {}
    now = hand.situation(31, machines[0], hand.machine("DMG-02", 30), standing=standing)
    assert returns.returned(now) == {(Kind.ESTATE_OFFLINE, "DMG"): {"back": 1, "of": 2}}
