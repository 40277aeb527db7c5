from concurrent.futures import ThreadPoolExecutor
from datetime import date

from cloud.records import Records, dirty

LAST = date(2026, 7, 2)
ONE, TWO = ("DMG", date(2026, 7, 1)), ("MRD", date(2026, 7, 1))


def waiting(records: Records, limit: int = 100) -> list[tuple[str, date]]:
    return [(one.estate, one.day) for one in records.read(lambda c: dirty.waiting(c, until=LAST, limit=limit))]


def test_those_that_wait_longest_come_first(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [TWO], now_ms=1))
    records.write(lambda c: dirty.touch(c, [ONE, TWO], now_ms=2))
    assert waiting(records) == [TWO, ONE]
    assert waiting(records, limit=1) == [TWO]


def test_what_was_written_is_forgotten(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [ONE, TWO], now_ms=1))
    first, _ = records.read(lambda c: dirty.waiting(c, until=LAST, limit=100))
    records.write(lambda c: dirty.clear(c, [first], now_ms=2))
    assert waiting(records) == [TWO]


def test_a_day_touched_while_it_was_written_stays(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=1))
    read = records.read(lambda c: dirty.waiting(c, until=LAST, limit=100))
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=2))
    records.write(lambda c: dirty.clear(c, read, now_ms=3))
    assert waiting(records) == [ONE]


def test_a_day_cleared_by_another_meanwhile_is_written_once_more(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=1))
    slow = records.read(lambda c: dirty.waiting(c, until=LAST, limit=100))
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=2))
    quick = records.read(lambda c: dirty.waiting(c, until=LAST, limit=100))
    records.write(lambda c: dirty.clear(c, quick, now_ms=3))
    records.write(lambda c: dirty.clear(c, slow, now_ms=4))
    assert waiting(records) == [ONE]


def test_a_mark_that_looks_the_same_but_is_newer_stays(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=1))
    slow = records.read(lambda c: dirty.waiting(c, until=LAST, limit=100))
    records.write(lambda c: dirty.clear(c, slow, now_ms=2))
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=3))
    records.write(lambda c: dirty.clear(c, slow, now_ms=4))
    assert waiting(records) == [ONE]


def test_days_to_come_wait_and_keep_no_place_in_the_queue(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [("DMG", date(2255, 1, 1))], now_ms=1))
    records.write(lambda c: dirty.touch(c, [ONE], now_ms=2))
    assert waiting(records, limit=1) == [ONE]


def test_nothing_touched_and_nothing_cleared_is_fine(records: Records) -> None:
    records.write(lambda c: dirty.touch(c, [], now_ms=1))
    records.write(lambda c: dirty.clear(c, [], now_ms=1))
    assert waiting(records) == []


def test_no_touch_is_lost_however_many_touch_at_once(records: Records) -> None:
    pairs = [[ONE, TWO], [TWO, ONE]] * 10
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda pair: records.write(lambda c: dirty.touch(c, pair, now_ms=1)), pairs))
    assert [one.touched for one in records.read(lambda c: dirty.waiting(c, until=LAST, limit=100))] == [20, 20]


def test_a_day_changes_what_is_expected_of_eight_like_weekdays_after_it_that_have_come() -> None:
    day = date(2026, 5, 1)
    found = dirty.and_expecting([("DMG", day), ("MRD", date(2026, 6, 26))], today=LAST)
    weeks = [
        date(2026, 5, 1),
        *(date(2026, 5, at) for at in (8, 15, 22, 29)),
        *(date(2026, 6, at) for at in (5, 12, 19, 26)),
    ]
    assert found == {("MRD", date(2026, 6, 26)), *(("DMG", each) for each in weeks)}


def test_a_day_of_this_week_changes_nothing_else() -> None:
    assert dirty.and_expecting([ONE], today=LAST) == {ONE}
