"""What a card cannot have done, and what no household does: tables of cases."""

from datetime import date, timedelta

import pytest

from cloud import days
from cloud.alerts.cards import elsewhere, ended, proxy, travel, unknown
from cloud.alerts.policy import Cards, Clock, Policy
from cloud.records.card_facts import Crowd, Pair, Revoked, Stray, Together

DAY = date(2026, 7, 1)
NOON = days.starts(DAY) + 12 * days.HOUR
SECOND, MINUTE, HOUR = 1000, days.MINUTE, days.HOUR
POLICY = Policy()

# ---- two estates -----------------------------------------------------------------------------------------------------

PLACES = {"A": (-6.2, 106.8), "NEAR": (-6.2, 106.8 + 1.9 / 110.55), "FAR": (-6.2, 106.8 + 10 / 110.55)}


@pytest.mark.parametrize(
    ("estates", "seconds", "impossible"),
    [
        pytest.param(("A", "FAR"), 5 * 60, True, id="ten kilometres in five minutes"),
        pytest.param(("A", "FAR"), 0, True, id="at once"),
        pytest.param(("A", "FAR"), 10 * 60, False, id="in ten minutes: 60 km/h is possible"),
        pytest.param(("A", "FAR"), 7 * 60, False, id="in seven: each clock may be two minutes wrong"),
        pytest.param(("A", "NEAR"), 0, False, id="less than two kilometres apart"),
        pytest.param(("A", "NOWHERE"), 0, False, id="an estate whose place is not known"),
    ],
)
def test_a_card_is_at_two_estates_only_if_nobody_could_have_travelled(estates, seconds, impossible):
    pair = Pair("c", "A", estates, (NOON, NOON + seconds * SECOND))
    assert bool(list(travel.two_estates([pair], PLACES, policy=POLICY))) is impossible


def test_with_clocks_known_to_be_better_more_is_impossible():
    strict = Policy(clock=Clock(flag_s=1))
    pair = Pair("c", "A", ("A", "FAR"), (NOON, NOON + 7 * MINUTE))
    (found,) = travel.two_estates([pair, pair], PLACES, policy=strict)
    assert found.evidence == {"times": 2, "km": 10.0, "minutes": 7, "last_day": "2026-07-01"}


def test_no_evidence_names_the_card():
    pair = Pair("secret", "A", ("A", "FAR"), (NOON, NOON))
    tap = Revoked("secret", "A", NOON, DAY - timedelta(days=9), "lost")
    found = [*travel.two_estates([pair], PLACES, policy=POLICY), *ended.revoked_card([tap], policy=POLICY)]
    assert [each.subject for each in found] == ["secret", "secret"]
    assert "secret" not in str([each.evidence for each in found])
    assert "secret" not in repr([pair, tap])


# ---- ended cards -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after_h", "told"),
    [
        pytest.param(-1, False, id="on the last day of its validity"),
        pytest.param(23.99, False, id="less than a day after"),
        pytest.param(24, True, id="a day after, exactly"),
        pytest.param(240, True, id="ten days after"),
    ],
)
def test_a_lost_card_is_told_of_when_it_is_tapped_a_day_after_its_end(after_h, told):
    end = days.starts(DAY + timedelta(days=1))
    tap = Revoked("c", "A", end + round(after_h * HOUR), DAY, "stolen")
    assert bool(list(ended.revoked_card([tap], policy=POLICY))) is told


# ---- unknown cards ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "feast", "told"),
    [
        pytest.param(20, None, False, id="twenty in an hour"),
        pytest.param(21, None, True, id="twenty-one"),
        pytest.param(99, ("*", DAY - timedelta(days=30), DAY - timedelta(days=10)), False, id="ten days after Lebaran"),
        pytest.param(99, ("*", DAY - timedelta(days=30), DAY - timedelta(days=11)), True, id="eleven days after"),
        pytest.param(99, ("*", DAY, DAY), False, id="on Lebaran"),
        pytest.param(99, ("*", DAY + timedelta(days=1), DAY + timedelta(days=9)), True, id="before Lebaran"),
        pytest.param(99, ("PSK", DAY, DAY), True, id="another estate's feast"),
    ],
)
def test_many_unknown_cards_in_an_hour_are_told_of_but_not_after_lebaran(count, feast, told):
    hours = [Crowd("DMG-01", NOON, count), Crowd("GONE-01", NOON, count)]
    lebaran = [feast] if feast else []
    found = list(unknown.unknown_card(hours, {"DMG-01": "DMG"}, lebaran, policy=POLICY))
    assert [(each.subject, each.evidence["most"]) for each in found] == ([("DMG-01", count)] if told else [])


# ---- elsewhere -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ready", "told"),
    [
        pytest.param({0, 7, 14}, True, id="three days on which it could have tapped at home"),
        pytest.param({0, 7}, False, id="on one of the three its own machine was broken"),
        pytest.param(set(), False, id="its own machine was never ready"),
    ],
)
def test_tapping_elsewhere_counts_only_when_home_stood_ready(ready, told):
    stray = Stray("DMG/1", "DMG", tuple(DAY + timedelta(days=number) for number in (0, 7, 14)))

    def could_tap(estate, day):
        return estate == "DMG" and (day - DAY).days in ready

    found = list(elsewhere.foreign_estate([stray], policy=lambda _: POLICY, could_tap=could_tap))
    assert [each.subject for each in found] == (["DMG/1"] if told else [])


# ---- together --------------------------------------------------------------------------------------------------------


def card(name, *seconds, unit=None, device="DMG-01"):
    """A card tapped on days 0, 7, 14, ... at so many seconds after noon."""
    taps = ((device, 7 * n, NOON + 7 * n * days.DAY + s * SECOND) for n, s in enumerate(seconds))
    return Together(name, unit or f"unit of {name}", "DMG", tuple(taps))


@pytest.mark.parametrize(
    ("cards", "together"),
    [
        pytest.param([card("a", 0, 0, 0), card("b", 30, 30, 30), card("c", 60, 60, 60)], "abc", id="within a minute"),
        pytest.param([card("a", 0, 0, 0), card("b", 30, 30, 30), card("c", 61, 61, 61)], "", id="a second more"),
        pytest.param([card("a", 0, 0, 0), card("b", 9, 9, 9), card("c", 9, 9, 99)], "", id="once apart"),
        pytest.param([card("a", 0, 0, 0), card("b", 1, 1, 1)], "", id="two cards"),
        pytest.param([card("a", 0, 0), card("b", 1, 1), card("c", 2, 2)], "", id="two days"),
        pytest.param(
            [card("a", 0, 0, 0, unit="u"), card("b", 1, 1, 1, unit="u"), card("c", 2, 2, 2)], "", id="two units"
        ),
        pytest.param(
            [card("a", 0, 0, 0), card("b", 1, 1, 1), card("c", 2, 2, 2, device="DMG-02")], "", id="two machines"
        ),
        pytest.param(
            [card("a", 0, 0, 0), card("x", 40, 900, 40), card("b", 50, 5, 9), card("c", 59, 7, 8)],
            "abc",
            id="a stranger between them on some days",
        ),
        pytest.param(
            [card(str(number), number * 20, number * 20, number * 20) for number in range(4)],
            "0123",
            id="a queue in which each three are close",
        ),
    ],
)
def test_cards_are_together_if_they_are_so_on_every_day(cards, together):
    for order in (cards, cards[::-1]):
        found = ["".join(sorted(each.card for each in group)) for group in proxy.groups(order, Cards())]
        assert found == ([together] if together else [])


def test_the_estate_is_told_how_many_and_not_who():
    cards = [card(name, 0, 1, 2, 3) for name in "abc"]
    (found,) = proxy.proxy_pattern(cards, policy=Cards())
    assert (found.subject, found.evidence) == ("DMG", {"groups": 1, "cards": 3, "units": 3, "days": 4})


def test_of_a_long_queue_the_neighbours_are_looked_at():
    queue = [card(f"{number:02}", number, number, number) for number in range(40)]
    (found,) = proxy.groups(queue, Cards())
    assert len(found) == 40
