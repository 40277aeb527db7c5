"""What a tap means: tables of situations."""

from datetime import date

import pytest

from cloud.ingest import resolve
from cloud.ingest.resolve import Moment, Neighbour, Neighbourhood, NotOpened, Opened, Registry, Unopenable
from cloud.records.registry import Card, Installation
from cloud.records.verdicts import Held, Rejected
from contract.messages import Clock, Event, Hours, Tap

DEVICE, BOOT, OTHER = "DMG-01", "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
DAY = 86_400_000
MIDNIGHT = 1_772_470_800_000  # 2026-03-03 00.00 WIB
NOW = MIDNIGHT + DAY // 2


def card(unit="U1", role="holder", since=date(2026, 1, 1), until=None):
    return Card("p", None if role == "test" else unit, role, role == "holder", since, until)


def registry(*cards, places=None):
    places = places or [Installation(DEVICE, "DMG", MIDNIGHT - 100 * DAY, None)]
    return Registry(1, {DEVICE: places}, {"p": cards} if cards else {})


def meaning(moment, of=None, opened=None):
    return resolve.tap(DEVICE, moment, opened or Opened("p"), of or registry(card()), now_ms=NOW)


@pytest.mark.parametrize(
    ("at", "opened", "expected"),
    [
        pytest.param(NOW, Unopenable("altered"), Rejected("unreadable_card", "altered"), id="no key will ever open it"),
        pytest.param(NOW, NotOpened(), Held("unknown_key"), id="its key is not here"),
        pytest.param(None, None, Held("undated"), id="nobody knows when"),
        pytest.param(NOW + 300_001, None, Held("future"), id="more than five minutes ahead"),
        pytest.param(MIDNIGHT - 101 * DAY, None, Held("not_installed"), id="before the installation"),
    ],
)
def test_what_cannot_be_said_yet_or_ever(at, opened, expected):
    assert meaning(None if at is None else Moment(at), opened=opened) == expected


@pytest.mark.parametrize(
    ("places", "estate"),
    [
        pytest.param([(0, NOW, "OLD"), (NOW, None, "NEW")], "NEW", id="moved this very instant"),
        pytest.param([(0, NOW + 1, "OLD"), (NOW + 1, None, "NEW")], "OLD", id="moved an instant later"),
        pytest.param([(0, NOW, "OLD")], None, id="removed this very instant"),
        pytest.param([(NOW, None, "NEW")], "NEW", id="installed this very instant"),
    ],
)
def test_the_estate_is_where_the_machine_stood_then(places, estate):
    stood = [Installation(DEVICE, where, since, until) for since, until, where in places]
    found = meaning(Moment(NOW), registry(places=stood))
    assert getattr(found, "estate", None) == estate


@pytest.mark.parametrize(
    ("cards", "at", "outcome", "unit"),
    [
        pytest.param([], NOW, "unknown", None, id="registered nowhere"),
        pytest.param([card()], NOW, "known", "U1", id="registered"),
        pytest.param([card(role="test")], NOW, "test", None, id="a technician's"),
        pytest.param([card(since=date(2026, 3, 3))], MIDNIGHT, "known", "U1", id="its first moment, midnight WIB"),
        pytest.param([card(since=date(2026, 3, 3))], MIDNIGHT - 1, "unknown", None, id="a moment before"),
        pytest.param([card(until=date(2026, 3, 2))], MIDNIGHT - 1, "known", "U1", id="its last moment"),
        pytest.param([card(until=date(2026, 3, 2))], MIDNIGHT, "unknown", None, id="a moment after"),
        pytest.param(
            [card("U1", until=date(2026, 3, 3)), card("U2", since=date(2026, 3, 3))], NOW, "known", "U2", id="handed on"
        ),
    ],
)
def test_the_unit_is_whose_card_it_was_that_day(cards, at, outcome, unit):
    found = meaning(Moment(at), registry(*cards))
    assert (found.outcome, found.unit, found.estate) == (outcome, unit, "DMG")


def test_uncertainty_favours_the_resident():
    lapsed = registry(card(until=date(2026, 3, 1)))
    assert meaning(Moment(NOW), lapsed).outcome == "unknown"
    assert meaning(Moment(NOW, 3 * DAY), lapsed).outcome == "known"


def test_a_random_number_names_nobody_even_if_registered():
    assert meaning(Moment(NOW), opened=Opened("p", is_lasting=False)).outcome == "unknown"


def neighbour(at, mono=0, boot=OTHER):
    return Neighbour(at, mono, boot)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(neighbour(0), neighbour(10_000, 700, BOOT), Moment(9_800), id="the clock was set later"),
        pytest.param(neighbour(5_000, 100, BOOT), neighbour(99_000), Moment(5_400), id="the clock was set before"),
        pytest.param(neighbour(1, 0, BOOT), neighbour(10_000, 700, BOOT), Moment(9_800), id="both: the later one"),
        pytest.param(neighbour(1_000), neighbour(4_000), Moment(2_500, 1_500), id="another boot on either side"),
        pytest.param(neighbour(4_000), neighbour(1_000), Moment(2_500, 1_500), id="clocks that ran back"),
        pytest.param(None, neighbour(4_000), Moment(2_250, 1_750), id="nothing before: since the installation"),
        pytest.param(neighbour(1_000), None, Moment(5_000, 4_000), id="nothing after: until it arrived"),
    ],
)
def test_when_an_undated_tap_was_made(before, after, expected):
    tap = Tap(seq=1, at=3, mono=500, boot=BOOT, clock=Clock.UNTRUSTED, card="k.x")
    assert resolve.moment_of(tap, Neighbourhood(before, after, installed_ms=500, arrived_ms=9_000)) == expected


def test_hours_and_events_touch_their_days():
    made = {"seq": 1, "at": NOW, "mono": 0, "boot": BOOT, "clock": Clock.TRUSTED}
    of = registry()
    hours = Hours(**made, hour=MIDNIGHT - 3_600_000, able_min=5)
    assert resolve.kept(DEVICE, hours, of, arrived_ms=NOW).touches == (("DMG", date(2026, 3, 2)),)
    detail = {"outbox": OTHER, "from_seq": 1, "to_seq": 2, "from": MIDNIGHT - DAY, "to": MIDNIGHT}
    lost = Event(**made, event="records_dropped", detail=detail)
    assert {day for _, day in resolve.kept(DEVICE, lost, of, arrived_ms=NOW).touches} == {
        date(2026, 3, 2),
        date(2026, 3, 3),
    }


def test_an_event_that_nobody_dated_happened_when_it_arrived():
    event = Event(seq=1, at=7, mono=0, boot=BOOT, clock=Clock.UNTRUSTED, event="boot")
    assert resolve.kept(DEVICE, event, registry(), arrived_ms=NOW).at_ms == NOW
