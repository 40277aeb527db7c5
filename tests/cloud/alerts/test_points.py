"""What the history is told: the same point again when something ends, and a row even where nothing ever happened."""

from __future__ import annotations

from cloud.alerts import points
from cloud.alerts.kinds import Kind
from cloud.alerts.points import Occasion, Work
from cloud.days import HOUR, MINUTE
from cloud.records.flags import Lasted, Tally

NOW = 1_780_000_020_000


def test_flags_have_a_row_per_estate_and_kind_and_the_usual_kinds_everywhere() -> None:
    tally = Tally("DMG", "READER_FAULT", 2, 1, 1, oldest_ms=NOW - HOUR, opened=5, closed=2, retracted=1)
    rows = points.flags([tally], ["DMG", "PSK"], minute_ms=NOW)
    assert [(dict(row.tags)["estate"], dict(row.tags)["kind"]) for row in rows] == [
        ("DMG", "DEVICE_OFFLINE"),
        ("DMG", "READER_FAULT"),
        ("DMG", "UNIT_NO_TAPS"),
        ("PSK", "DEVICE_OFFLINE"),
        ("PSK", "UNIT_NO_TAPS"),
    ]
    assert dict(rows[1].fields) == {
        "open": 2,
        "unacknowledged": 1,
        "hushed": 1,
        "oldest_s": 3600,
        "opened_total": 5,
        "closed_total": 2,
        "retracted_total": 1,
    }
    assert set(dict(rows[0].fields).values()) == {0}


def test_what_concerns_the_whole_city_has_a_place_of_its_own() -> None:
    (row,) = points.flags([Tally("", "INGEST_DOWN", 1)], [], minute_ms=NOW)
    assert dict(row.tags)["estate"] == "KOTA"


def test_an_outage_is_written_again_to_the_same_point_when_it_is_over() -> None:
    going = Occasion("DMG", "outage", "Mesin rusun luring", NOW - HOUR, None)
    over = Occasion("DMG", "outage", "Mesin rusun luring", NOW - HOUR, NOW - MINUTE)
    (first,), (second,) = (points.occasions([each], now_ms=NOW) for each in (going, over))
    assert (first.time_ns, first.tags) == (second.time_ns, second.tags)
    assert (dict(first.fields)["ongoing"], dict(first.fields)["duration_s"], dict(first.fields)["end_ms"]) == (
        1,
        3600,
        NOW,
    )
    assert (dict(second.fields)["ongoing"], dict(second.fields)["duration_s"], dict(second.fields)["end_ms"]) == (
        0,
        3540,
        NOW - MINUTE,
    )


def test_a_machine_that_fails_is_an_outage_of_its_estate_only_where_it_stands_alone() -> None:
    lasted = [Lasted(Kind.DEVICE_OFFLINE, "DMG", 1, None), Lasted(Kind.DEVICE_OFFLINE, "PSK", 2, 3)]
    estate = Lasted(Kind.ESTATE_OFFLINE, "DMG", 4, None)
    found = points.outages([*lasted, estate], {"DMG": 2, "PSK": 1})
    assert [(each.estate, each.since_ms, each.until_ms) for each in found] == [("PSK", 2, 3), ("DMG", 4, None)]


def test_a_closure_ahead_is_not_over_and_its_own_words_stay_in_the_registry() -> None:
    (row,) = points.occasions([points.closure("DMG", "flood", NOW - HOUR, NOW + HOUR)], now_ms=NOW)
    assert (dict(row.fields)["ongoing"], dict(row.fields)["text"]) == (1, "Banjir")


def test_a_change_of_policy_is_a_moment() -> None:
    (row,) = points.occasions([points.policy("DMG", 'v"2 é', NOW)], now_ms=NOW)
    assert (dict(row.fields)["text"], dict(row.fields)["duration_s"], dict(row.fields)["ongoing"]) == (
        "Kebijakan v-2-- berlaku",
        0,
        0,
    )


def test_the_worker_tells_of_its_own_cycles() -> None:
    row = points.stage(Work(7, 1, 3, (30.0, 10.0, 20.0)), instance="alerts-1", minute_ms=NOW)
    assert dict(row.tags) == {"instance": "alerts-1", "stage": "alerts"}
    assert (dict(row.fields)["msgs_total"], dict(row.fields)["errors_total"], dict(row.fields)["backlog"]) == (7, 1, 3)
    assert (dict(row.fields)["lag_p50_ms"], dict(row.fields)["lag_p95_ms"], dict(row.fields)["lag_max_ms"]) == (
        20.0,
        30.0,
        30.0,
    )
    assert dict(points.stage(Work(0, 0, 0), instance="a", minute_ms=NOW).fields)["lag_max_ms"] == 0.0
