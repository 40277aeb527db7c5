"""The card rules over SQL, on both engines."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert

from cloud import days
from cloud.alerts.cards import EVERY_MS, judge
from cloud.alerts.findings import Stands
from cloud.alerts.kinds import Kind, Level
from cloud.alerts.policy import Policies
from cloud.records import Records
from cloud.records import schema as tables

DAY = date(2026, 7, 1)
START = days.starts(DAY)
NOON = START + 12 * days.HOUR
MINUTE, HOUR = days.MINUTE, days.HOUR


class City:
    """Two estates ten kilometres apart, a machine and two units each; taps by hand."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.seq = 0
        self.rows = []
        records.write(self._build)

    def _build(self, connection):
        places = {"DMG": (-6.2, 106.8), "PSK": (-6.2, 106.8 + 10 / 110.55)}
        connection.execute(
            insert(tables.estates),
            [
                {"estate": code, "name": code, "lat": lat, "lon": lon, "go_live": date(2026, 1, 1)}
                for code, (lat, lon) in places.items()
            ],
        )
        connection.execute(insert(tables.units), [{"unit": f"{e}/{n}", "estate": e} for e in places for n in range(5)])
        connection.execute(
            insert(tables.installations),
            [{"device": f"{e}-01", "estate": e, "installed_ms": 0, "known_from_ms": 0} for e in places],
        )
        connection.execute(insert(tables.streams), {"id": 1, "device": "DMG-01", "outbox": "x", "first_ms": 0})

    def put(self, table, *rows):
        """For the next time something is judged: all rows in one transaction."""
        self.rows += [(table, row) for row in rows]

    def _write(self, connection):
        for table in dict.fromkeys(table for table, _ in self.rows):
            for row in (row for each, row in self.rows if each is table):
                connection.execute(insert(table), row)

    def _arrive(self, at_ms, arrived_ms, kind):
        self.seq += 1
        arrived = at_ms if arrived_ms is None else arrived_ms
        row = {"stream": 1, "seq": self.seq, "digest": "0" * 32, "kind": kind, "state": "stored"}
        self.put(tables.arrivals, row | {"arrived_ms": arrived})
        return {"stream": 1, "seq": self.seq, "arrived_ms": arrived}

    def tap(self, at_ms, card="c", *, estate="DMG", unit="DMG/1", outcome="known", uncertainty_ms=0, arrived_ms=None):
        own = self._arrive(at_ms, arrived_ms, "tap") | {
            "device": f"{estate}-01", "at_ms": at_ms, "pseudonym": card, "outcome": outcome, "estate": estate,
            "unit": unit if outcome == "known" else None, "uncertainty_ms": uncertainty_ms,
        }  # fmt: skip
        self.put(tables.sightings, own)

    def able(self, first, last, *, estate="DMG"):
        for day in range(first, last):
            for hour in range(24):
                own = self._arrive(0, 0, "hours")
                del own["arrived_ms"]
                hour_ms = START + day * days.DAY + hour * HOUR
                row = {"device": f"{estate}-01", "hour_ms": hour_ms, "able_min": 60, "dated": True}
                self.put(tables.device_hours, own | row)

    def present(self, unit, device, *numbers):
        rows = [{"unit": unit, "day": DAY + timedelta(days=n), "device": device, "taps": 1} for n in numbers]
        self.put(tables.presence, *rows)

    def judged(self, now_ms, *kinds, standing=None):
        self.records.write(self._write)
        self.rows = []
        return self.records.read(
            lambda c: judge(c, Policies(), now_ms=now_ms, standing=standing or {}, kinds=kinds or None)
        )


@pytest.fixture
def city(records):
    return City(records)


def told(findings):
    return [(each.kind, each.subject) for each in findings.standing]


def test_where_nothing_happened_nothing_is_said_and_all_is_judged(city):
    found = city.judged(NOON)
    assert (found.standing, found.complete) == ((), {(kind, "") for kind in EVERY_MS})


@pytest.mark.parametrize(
    ("minutes", "more", "said"),
    [
        pytest.param(1, {}, True, id="a minute later"),
        pytest.param(30, {}, False, id="half an hour later"),
        pytest.param(1, {"uncertainty_ms": 1}, False, id="by a clock that was not trusted"),
        pytest.param(1, {"outcome": "unknown"}, False, id="as an unknown card"),
        pytest.param(1, {"outcome": "test"}, False, id="as a test card"),
        pytest.param(1, {"card": "other"}, False, id="another card"),
        pytest.param(1, {"arrived_ms": NOON - 9 * days.DAY}, True, id="one of them arrived long before"),
    ],
)
def test_a_card_at_two_estates_is_found_by_the_tap_that_arrives_last(city, minutes, more, said):
    city.tap(NOON)
    city.tap(NOON + minutes * MINUTE, estate="PSK", **more)
    found = city.judged(NOON + HOUR, Kind.CARD_TWO_ESTATES)
    assert told(found) == ([(Kind.CARD_TWO_ESTATES, "c")] if said else [])
    assert [each.estate for each in found.standing] == (["DMG"] if said else [])


def test_what_a_card_did_is_not_undone_by_time_for_a_month(city):
    city.tap(NOON)
    city.tap(NOON + MINUTE, estate="PSK")
    (first,) = city.judged(NOON + HOUR, Kind.CARD_TWO_ESTATES).standing
    flag = Stands(
        first.kind, first.subject, first.estate, Level.OPEN, "", first.since_ms, False, True, NOON, first.evidence
    )  # fmt: skip
    standing = {(first.kind, first.subject): flag}
    after = [city.judged(NOON + n * days.DAY, Kind.CARD_TWO_ESTATES, standing=standing).standing for n in (8, 29, 30)]
    assert [len(each) for each in after] == [1, 1, 0]
    assert after[0][0].evidence == first.evidence


def test_a_lost_card_tapped_later_is_found_and_one_found_again_is_not(city):
    row = {"unit": "DMG/1", "role": "holder", "obliged": True, "valid_from": date(2026, 1, 1), "known_from_ms": 0}
    over = {"valid_to": DAY - timedelta(days=9), "ended_because": "lost"}
    again = {"valid_to": None, "ended_because": "", "valid_from": DAY - timedelta(days=5), "pseudonym": "found"}
    city.put(tables.cards, row | over | {"pseudonym": "lost"}, row | over | {"pseudonym": "found"})
    city.put(tables.cards, row | over | {"pseudonym": "replaced", "ended_because": "replaced"}, row | again)
    for name, outcome in {"lost": "unknown", "found": "known", "replaced": "unknown"}.items():
        city.tap(NOON, name, outcome=outcome)
    assert told(city.judged(NOON + HOUR, Kind.REVOKED_CARD)) == [(Kind.REVOKED_CARD, "lost")]


def test_an_hour_of_unknown_cards_is_found_for_a_day(city):
    city.put(
        tables.hour_counts,
        {"device": "DMG-01", "hour_ms": NOON, "known": 0, "unknown": 21},
        {"device": "PSK-01", "hour_ms": NOON, "known": 99, "unknown": 20},
    )
    assert told(city.judged(NOON + days.DAY, Kind.UNKNOWN_CARD)) == [(Kind.UNKNOWN_CARD, "DMG-01")]
    assert told(city.judged(NOON + days.DAY + 1, Kind.UNKNOWN_CARD)) == []
    feast = {"scope": "*", "from_day": DAY, "to_day": DAY, "kind": "lebaran", "reason": "x", "known_from_ms": 0}
    city.put(tables.calendar, feast)
    assert told(city.judged(NOON + days.DAY, Kind.UNKNOWN_CARD)) == []


def test_a_unit_that_taps_elsewhere_and_never_at_home_is_found(city):
    city.able(0, 20)
    city.present("DMG/1", "PSK-01", 1, 8, 15)
    city.present("DMG/2", "PSK-01", 1, 8, 15)
    city.present("DMG/2", "DMG-01", 9)
    city.present("DMG/3", "PSK-01", 1, 8)
    city.present("PSK/1", "PSK-01", 1, 8, 15)
    now_ms = START + 20 * days.DAY
    found = city.judged(now_ms, Kind.FOREIGN_ESTATE)
    assert told(found) == [(Kind.FOREIGN_ESTATE, "DMG/1")]
    assert found.standing[0].evidence["days_counted"] == 3
    assert told(city.judged(now_ms + 10 * days.DAY, Kind.FOREIGN_ESTATE)) == []


def test_a_unit_whose_own_machine_was_dead_may_tap_elsewhere(city):
    city.able(0, 15)
    city.present("DMG/1", "PSK-01", 1, 8, 15)
    assert told(city.judged(START + 20 * days.DAY, Kind.FOREIGN_ESTATE)) == []


@pytest.mark.parametrize(
    ("alone", "said"),
    [
        pytest.param(None, True, id="never apart"),
        pytest.param(("DMG", 20), False, id="one of them once alone"),
        pytest.param(("PSK", 20), False, id="one of them once alone elsewhere"),
    ],
)
def test_cards_of_several_units_that_never_come_apart_are_found(city, alone, said):
    for day in (0, 7, 14):
        for number in range(3):
            at_ms = NOON + day * days.DAY + number * 20_000
            city.tap(at_ms, f"card {number}", unit=f"DMG/{number}")
        city.tap(NOON + day * days.DAY + HOUR, "somebody", unit="DMG/4")
    if alone is not None:
        city.tap(NOON + alone[1] * days.DAY, "card 1", unit="DMG/1", estate=alone[0])
    found = city.judged(NOON + 30 * days.DAY, Kind.PROXY_PATTERN)
    assert told(found) == ([(Kind.PROXY_PATTERN, "DMG")] if said else [])
    assert told(city.judged(NOON + 90 * days.DAY, Kind.PROXY_PATTERN)) == []
