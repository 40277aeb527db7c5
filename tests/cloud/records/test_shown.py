"""What minute rows have shown is known to whoever writes the next ones."""

from cloud.records import shown
from cloud.records.shown import Silence
from cloud.records.standing import Totals

QUARTER = 900_000


def ledgers(records, quarter_ms):
    return records.read(lambda connection: shown.ledgers(connection, quarter_ms=quarter_ms))


def show(records, totals, quarter_ms):
    records.write(lambda connection: shown.show(connection, totals, quarter_ms=quarter_ms))


def keep(records, *lasting):
    records.write(lambda connection: shown.keep(connection, lasting))


def forget(records, *ended):
    records.write(lambda connection: shown.forget(connection, ended))


def test_what_is_shown_in_a_quarter_hour_stands_until_it_is_over(records):
    show(records, {"DMG-01": Totals(made=5, stored=4, missing=1)}, QUARTER)
    show(records, {"DMG-01": Totals(made=6, stored=6), "DMG-02": Totals(made=1, held=1)}, QUARTER)
    assert ledgers(records, QUARTER) == {
        "DMG-01": Totals(made=5, stored=4, missing=1),
        "DMG-02": Totals(made=1, held=1),
    }


def test_the_next_quarter_hour_shows_what_is_there_then(records):
    show(records, {"DMG-01": Totals(made=5, stored=5)}, QUARTER)
    assert ledgers(records, 2 * QUARTER) == {}
    show(records, {"DMG-01": Totals(made=9, stored=8, rejected=1)}, 2 * QUARTER)
    assert ledgers(records, 2 * QUARTER) == {"DMG-01": Totals(made=9, stored=8, rejected=1)}


def test_a_silence_lasts_until_it_is_forgotten(records):
    keep(records, Silence("DMG-01", "DMG", 1000, 2000), Silence("DMG-02", "DMG", 1500, 2000))
    keep(records, Silence("DMG-01", "DMG", 1000, 3000))
    assert records.read(shown.open_silences) == [
        Silence("DMG-01", "DMG", 1000, 3000),
        Silence("DMG-02", "DMG", 1500, 2000),
    ]
    forget(records, Silence("DMG-01", "DMG", 1000, 3000))
    assert records.read(shown.open_silences) == [Silence("DMG-02", "DMG", 1500, 2000)]


def test_the_end_of_one_silence_is_not_the_end_of_the_next(records):
    first, second = Silence("DMG-01", "DMG", 1000, 2000), Silence("DMG-01", "DMG", 5000, 6000)
    keep(records, first)
    keep(records, second)
    assert records.read(shown.open_silences) == [first, second]
    forget(records, first)
    assert records.read(shown.open_silences) == [second]


def test_nothing_is_remembered_of_nothing(records):
    show(records, {}, QUARTER)
    keep(records)
    forget(records)
    assert (ledgers(records, QUARTER), records.read(shown.open_silences)) == ({}, [])
