"""Evidence in the words of who reads it."""

from cloud.alerts import evidence

MISSED = {
    "missed_periods": 3,
    "periods": [{"from": "2026-03-02", "to": "2026-03-15", "counted": 11, "verdict": "missed"}],
    "days_counted": 11,
    "days_not_counted": {"machine": 2, "calendar": 1},
    "days": [["2026-03-02", "absent"], ["2026-03-03", "machine"]],
    "last_tap": None,
    "machines_elsewhere_incomplete": [],
    "rule": "absence/1",
}


def test_figures_are_named_and_what_is_not_known_is_left_out() -> None:
    assert list(evidence.figures(MISSED)) == [
        ("Periode tanpa tap", "3"),
        ("Hari terhitung", "11"),
        ("Hari tidak dihitung", "mesin terganggu 2, hari libur 1"),
        ("Versi aturan", "absence/1"),
    ]


def test_instants_are_wib_and_lengths_of_time_are_not_instants() -> None:
    found = dict(evidence.figures({"heard_ms": 1_778_551_920_000, "offset_ms": -125_000, "gone_ms": None}))
    assert found == {"Terakhir terdengar": "12 Mei 2026 09.12 WIB", "Selisih jam": "-125000"}


def test_every_period_and_every_day_can_be_counted_again() -> None:
    assert list(evidence.periods(MISSED)) == [("2 Maret 2026 – 15 Maret 2026", "tanpa tap", "11")]
    assert list(evidence.days(MISSED)) == [
        ("2 Maret 2026", "terhitung, tanpa tap"),
        ("3 Maret 2026", "mesin terganggu"),
    ]


def test_what_has_no_words_is_shown_as_it_is_and_other_days_are_no_table() -> None:
    assert list(evidence.figures({"km": 3.2, "days": 4, "last_tap": "2026-03-12"})) == [
        ("km", "3.2"),
        ("days", "4"),
        ("Tap terakhir", "12 Maret 2026"),
    ]
    assert list(evidence.days({"days": 4})) == []
