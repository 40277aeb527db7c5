"""Which roll-ups the days of an estate give: taps of any day, attendance from the day it went live."""

from datetime import date

from cloud.ingest import rolling

BEFORE, LIVE = date(2026, 3, 1), date(2026, 3, 3)


def written(world, *those: date) -> set[tuple[str, int | None]]:
    """Measurement and, for a month, how many days it speaks of."""
    world.run(f"UPDATE estates SET go_live = '{LIVE}' WHERE estate = 'DMG'")
    points = world.records.read(lambda connection: rolling.points_of(connection, "DMG", those, now_ms=world.NOON))
    return {(point.measurement, dict(point.fields).get("days")) for point in points}


def test_before_an_estate_goes_live_nobody_is_said_to_be_absent(world):
    names = {name for name, _ in written(world, date(2026, 2, 28))}
    assert names == {"tap_hour", "tap_15m", "machine_day"}


def test_a_month_has_the_same_days_whichever_of_them_are_written_again(world):
    months = {days for name, days in written(world, BEFORE, LIVE) if name == "attendance_month"}
    assert months == {1}
    assert {days for name, days in written(world, LIVE) if name == "attendance_month"} == {1}
