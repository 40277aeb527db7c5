from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest import points
from cloud.ingest.points import Interval, Ledger, Place, Registered, ResolvedTap, Stage
from contract.messages import Event, Heartbeat
from contract.series import Point
from contract.topics import DeviceId

UUID = "0" * 8 + "-0000-4000-8000-" + "0" * 12
MINUTE = 1_790_000_040_000
QUARTER_BEGAN = MINUTE - MINUTE % 900_000


def fields(point: Point) -> dict[str, int | float | str]:
    return dict(point.fields)


# ---- taps ------------------------------------------------------------------------------------------------------------

TAP = ResolvedTap("DMG-01", 7, 1_790_000_000_123, 1_790_000_000_623, "known")


def test_a_tap_is_at_its_own_time_whenever_it_arrives() -> None:
    assert points.tap(TAP).line() == "tap,device=DMG-01 known=1i,unknown=0i,seq=7i,lag=500i 1790000000123000007"
    late = points.tap(replace(TAP, arrived_ms=1_790_100_000_000))
    assert late.time_ns == points.tap(TAP).time_ns


@pytest.mark.parametrize(("outcome", "known", "unknown"), [("known", 1, 0), ("unknown", 0, 1), ("test", 0, 0)])
def test_what_a_tap_resolves_to_is_a_field_and_moves_no_point(outcome: str, known: int, unknown: int) -> None:
    point = points.tap(replace(TAP, outcome=outcome))
    assert (fields(point)["known"], fields(point)["unknown"]) == (known, unknown)
    assert (point.time_ns, point.tags) == (points.tap(TAP).time_ns, points.tap(TAP).tags)


@given(st.integers(1, 2**53 - 2))
def test_neighbours_in_one_millisecond_are_two_points_inside_it(seq: int) -> None:
    one, other = (points.tap(replace(TAP, seq=number)).time_ns for number in (seq, seq + 1))
    assert one != other
    assert one // 10**6 == other // 10**6 == TAP.at_ms


# ---- machines by the minute ------------------------------------------------------------------------------------------


def heartbeat(**more: object) -> Heartbeat:
    given: dict[str, object] = {
        "device": DeviceId("DMG-01"),
        "at": MINUTE - 10_500,
        "boot": UUID,
        "session": 1,
        "uptime_s": 99,
        "outbox": UUID,
        "last_seq": 50,
        "confirmed": 40,
        "backlog": 10,
        "oldest_unsent": MINUTE - 61_000,
        "refused": 2,
        "parked": 1,
        "reader": "ok",
        "clock": "trusted",
        "clock_offset_ms": -250,
        "disk_free_pct": 71.5,
        "version": "0.1.0+dev",
        **more,
    }
    return Heartbeat.model_validate(given)


HEARD = Registered(
    "DMG-01",
    "DMG",
    installed_ms=MINUTE - 86_400_000,
    ledger=Ledger(QUARTER_BEGAN, 50, 45, 3, 1, 1),
    heartbeat=heartbeat(),
    heard_ms=MINUTE - 10_000,
    beat_ms=MINUTE - 10_000,
)
SILENT = replace(HEARD, heard_ms=MINUTE - points.STALE_AFTER_MS - 1)
NEVER = Registered("DMG-02", "DMG", installed_ms=MINUTE - 86_400_000, ledger=Ledger(QUARTER_BEGAN))


def row(registered: Registered) -> dict[str, int | float | str]:
    (point,) = points.machines([registered], minute_ms=MINUTE)
    return fields(point)


def test_a_machine_has_a_full_row_a_minute() -> None:
    (point,) = points.machines([HEARD], minute_ms=MINUTE)
    assert (point.time_ns, dict(point.tags)) == (MINUTE * 10**6, {"device": "DMG-01", "estate": "DMG"})
    assert fields(point) == {
        "online": 1,
        "heard": 1,
        "reader_ok": 1,
        "clock_trusted": 1,
        "last_seen_s": 10,
        "uptime_s": 99,
        "backlog": 10,
        "oldest_unsent_s": 61,
        "clock_offset_ms": -250,
        "refused": 2,
        "parked": 1,
        "made": 50,
        "stored": 45,
        "missing": 3,
        "held": 1,
        "rejected": 1,
        "disk_free_pct": 71.5,
        "version": "0.1.0+dev",
    }


def test_a_silent_machine_keeps_its_last_values_and_is_offline() -> None:
    assert row(SILENT) == {**row(HEARD), "online": 0, "last_seen_s": 180}


def test_a_machine_never_heard_of_has_a_full_row_too() -> None:
    assert row(NEVER).keys() == row(HEARD).keys()
    assert {name: value for name, value in row(NEVER).items() if value} == {"last_seen_s": 86_400, "version": "none"}


def test_the_dashboards_are_patient_for_three_minutes() -> None:
    assert points.STALE_AFTER_MS == 3 * 60 * 1000


@pytest.mark.parametrize(
    ("heard_ago", "gone_ago", "online"),
    [
        (0, None, True),
        (points.STALE_AFTER_MS, None, True),
        (points.STALE_AFTER_MS + 1, None, False),
        (None, None, False),
        (20, 10, False),
        (10, 20, True),
        (10, 10, False),
        (points.STALE_AFTER_MS + 1, points.STALE_AFTER_MS + 2, False),
    ],
    ids=[
        "now",
        "just-in-time",
        "too-long-ago",
        "never",
        "said-goodbye",
        "heard-since",
        "gone-as-heard",
        "silent-since",
    ],
)
def test_a_machine_is_online(heard_ago: int | None, gone_ago: int | None, online: bool) -> None:
    heard_ms = None if heard_ago is None else MINUTE - heard_ago
    gone_ms = None if gone_ago is None else MINUTE - gone_ago
    assert replace(HEARD, heard_ms=heard_ms, gone_ms=gone_ms).is_online(MINUTE) is online


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({"reader": "fault"}, "reader_ok", 0),
        ({"clock": "untrusted"}, "clock_trusted", 0),
        ({"oldest_unsent": None}, "oldest_unsent_s", 0),
        ({"oldest_unsent": MINUTE + 99_000}, "oldest_unsent_s", 0),
        ({"clock_offset_ms": None}, "clock_offset_ms", -500),
        ({"version": 'a"b'}, "version", "unreadable"),
        ({"version": "04A1B2C3D4E5F6"}, "version", "unreadable"),
        ({"version": ""}, "version", "unreadable"),
    ],
    ids=[
        "reader-fault",
        "clock-untrusted",
        "nothing-unsent",
        "unsent-from-the-future",
        "no-offset-of-its-own",
        "a-version-with-a-quote",
        "a-version-like-a-card",
        "no-version",
    ],
)
def test_what_a_heartbeat_says_is_written_as(said: dict[str, object], field: str, value: object) -> None:
    assert row(replace(HEARD, heartbeat=heartbeat(**said)))[field] == value


def test_how_far_a_clock_is_off_is_told_by_the_heartbeat_not_by_a_birth_after_it() -> None:
    born_since = replace(HEARD, heartbeat=heartbeat(clock_offset_ms=None), heard_ms=MINUTE - 1_000)
    assert row(born_since)["clock_offset_ms"] == row(replace(born_since, heard_ms=HEARD.heard_ms))["clock_offset_ms"]


def test_the_fleet_counts_every_registered_machine_and_every_estate() -> None:
    rows = points.fleet([HEARD, SILENT, NEVER], [Place("DMG", -6.1, 106.8), Place("MRD")], minute_ms=MINUTE)
    assert [(dict(each.tags)["estate"], fields(each)) for each in rows] == [
        ("DMG", {"registered": 3, "online": 1, "lat": -6.1, "lon": 106.8}),
        ("MRD", {"registered": 0, "online": 0}),
    ]
    assert {each.time_ns for each in rows} == {MINUTE * 10**6}


# ---- events ----------------------------------------------------------------------------------------------------------


def event(kind: str) -> Event:
    return Event(seq=7, at=MINUTE, mono=1, boot=UUID, clock="trusted", event=kind)


def test_an_event_is_a_moment_with_words_for_the_annotation() -> None:
    point = points.event(event("reader_fault"), device="DMG-01", estate="DMG")
    assert point.time_ns == MINUTE * 10**6 + 7
    assert fields(point) == {
        "kind": "reader_fault",
        "text": "Pembaca kartu terganggu",
        "end_ms": MINUTE,
        "duration_s": 0,
        "ongoing": 0,
    }


@pytest.mark.parametrize("kind", ["door_opened", "a04b1c2d3"])
def test_an_event_the_cloud_does_not_know_is_written_without_its_name(kind: str) -> None:
    assert fields(points.event(event(kind), device="DMG-01", estate="DMG"))["kind"] == "other"


def test_an_outage_that_ends_is_the_same_point_with_its_end() -> None:
    since = MINUTE - 3_600_000
    begun = points.offline(Interval(since, None), device="DMG-01", estate="DMG", now_ms=MINUTE)
    ended = points.offline(Interval(since, MINUTE + 60_000), device="DMG-01", estate="DMG", now_ms=MINUTE + 90_000)
    assert (begun.time_ns, begun.tags) == (ended.time_ns, ended.tags)
    assert begun.time_ns == since * 10**6
    assert fields(begun) == {
        "kind": "offline",
        "text": "Mesin luring",
        "end_ms": MINUTE,
        "duration_s": 3600,
        "ongoing": 1,
    }
    assert fields(ended) == {**fields(begun), "end_ms": MINUTE + 60_000, "duration_s": 3660, "ongoing": 0}


# ---- the pipeline and the broker -------------------------------------------------------------------------------------


def test_a_stage_says_how_much_and_how_slowly() -> None:
    stage = Stage("influx", 100, 1, 2, 3, 4, 5, 6, lags_ms=tuple(range(100, 0, -1)))
    (point,) = points.pipeline([stage], instance="ingest-1", minute_ms=MINUTE)
    assert (point.time_ns, dict(point.tags)) == (MINUTE * 10**6, {"instance": "ingest-1", "stage": "influx"})
    assert fields(point) == {
        "msgs_total": 100,
        "errors_total": 1,
        "dlq_total": 2,
        "duplicates_total": 3,
        "held": 4,
        "backlog": 5,
        "series_total": 6,
        "lag_p50_ms": 50.0,
        "lag_p95_ms": 95.0,
        "lag_max_ms": 100.0,
    }


@pytest.mark.parametrize(
    ("values", "per_cent", "expected"),
    [([], 50, 0.0), ([3], 50, 3.0), ([3], 95, 3.0), ([1, 2], 50, 1.0), ([1, 2], 51, 2.0), ([1, 2, 3, 4], 75, 3.0)],
)
def test_percentiles_are_by_nearest_rank(values: list[float], per_cent: int, expected: float) -> None:
    assert points.percentile(values, per_cent) == expected


def test_a_stage_that_did_nothing_says_zero() -> None:
    (point,) = points.pipeline([Stage("sql", 0)], instance="ingest-1", minute_ms=MINUTE)
    assert not any(fields(point).values())


def test_the_broker_s_own_figures() -> None:
    said = {"clients/connected": "33", "uptime": "12345 seconds", "publish/messages/dropped": "2", "heap/current": "x"}
    point = points.broker(said, instance="mosquitto", minute_ms=MINUTE)
    assert point is not None
    assert point.time_ns == MINUTE * 10**6
    told = {name: value for name, value in fields(point).items() if value}
    assert told == {"clients_connected": 33, "uptime_s": 12345, "dropped_total": 2}


def test_a_broker_that_says_nothing_has_no_row() -> None:
    assert points.broker({"version": "mosquitto 2.0.20"}, instance="mosquitto", minute_ms=MINUTE) is None
