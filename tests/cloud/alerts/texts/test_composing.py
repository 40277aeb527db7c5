import pytest

from cloud.alerts import texts
from cloud.alerts.channels import Text
from cloud.alerts.kinds import Kind
from cloud.alerts.texts import NoWords, Wording, templates, wording

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (0, "kurang dari 1 menit"),
        (-5, "kurang dari 1 menit"),
        (59_999, "kurang dari 1 menit"),
        (MINUTE_MS, "1 menit"),
        (65 * MINUTE_MS, "1 jam 5 menit"),
        (24 * 60 * MINUTE_MS, "1 hari"),
        ((49 * 60 + 7) * MINUTE_MS, "2 hari 1 jam"),
    ],
)
def test_a_span_in_its_two_largest_units(ms: int, shown: str) -> None:
    assert wording.span(ms) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (1_778_551_920_000, "12 Mei 2026 09.12 WIB"),
        (1_767_286_740_000, "1 Januari 2026 23.59 WIB"),
        (1_767_286_800_000, "2 Januari 2026 00.00 WIB"),
    ],
)
def test_instants_are_wib_with_a_dot(ms: int, shown: str) -> None:
    assert wording.instant(ms) == shown


def test_numbers_are_written_the_indonesian_way() -> None:
    assert (wording.number(13731), wording.number(99.5)) == ("13.731", "99,5")


def test_the_locale_of_the_process_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANG", "LC_ALL", "LC_TIME", "LANGUAGE"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    monkeypatch.setenv("TZ", "America/New_York")
    assert wording.instant(1_778_551_920_000) == "12 Mei 2026 09.12 WIB"
    assert wording.number(13731.5) == "13.731,5"


def test_a_long_listing_says_how_many_more() -> None:
    assert wording.listing(["a"]) == "a"
    assert wording.listing(["a", "b"]) == "a dan b"
    assert wording.listing(range(33), most=2) == "0, 1 dan 31 lainnya"
    assert wording.listing([]) == "-"


def test_a_rusun_is_called_so_once() -> None:
    assert [wording.rusun(name) for name in ("Pesakih", "Rusunawa Marunda")] == ["Rusun Pesakih", "Rusunawa Marunda"]


def test_a_long_list_is_cut_at_the_channels_length() -> None:
    text = Text("Kepala", lines=tuple(f"baris ke-{n:04}, lima puluh huruf panjangnya atau lebih" for n in range(100)))
    short = texts.cut(text, 3500)
    assert len(short.plain()) <= 3500
    left_out = 100 - (len(short.lines) - 1)
    assert short.lines[-1] == f"… dan {left_out} lainnya"
    assert len(Text("Kepala", lines=(*short.lines[:-1], text.lines[0], short.lines[-1])).plain()) > 3500


def test_what_is_short_is_left_alone() -> None:
    text = Text("Kepala", "Dampak: a", lines=("x",))
    assert texts.cut(text, 3500) is text


def test_a_text_without_a_list_is_cut_too() -> None:
    short = texts.cut(Text("K" * 5000, "D" * 5000, "T" * 5000, "https://hadir.example/flags/FLG-26-00417"), 3500)
    assert len(short.plain()) <= 3500
    assert short.link.endswith("FLG-26-00417")


def test_a_bundle_takes_as_many_as_fit_and_at_least_one(facts_of) -> None:
    items = [facts_of(Kind.DEVICE_OFFLINE, "opened", flag=f"FLG-26-{n:05}") for n in range(100)]
    count = texts.fits(items, Wording(), max_chars=3500)
    assert 20 < count < 100
    bundle = texts.bundle(items[:count], Wording(console="https://hadir.example"))
    assert texts.cut(bundle, 3500) == bundle
    assert all(f"FLG-26-{n:05}" in bundle.plain() for n in range(count))
    assert texts.fits(items, Wording(), max_chars=10) == 1


def test_a_bundle_of_few_takes_them_all(facts_of) -> None:
    assert texts.fits([facts_of(Kind.DEVICE_OFFLINE, "opened")] * 3, Wording(), max_chars=3500) == 3


def test_a_kind_without_words_says_which_file_is_missing(facts_of) -> None:
    with pytest.raises(NoWords, match=r"NO_SUCH\.jinja"):
        templates.block("NO_SUCH", "opened", {})
    with pytest.raises(NoWords, match="add the block"):
        templates.block("DEVICE_OFFLINE", "sung", {})


def test_a_name_that_a_template_is_not_given_is_an_error() -> None:
    with pytest.raises(Exception, match="undefined"):
        templates.block("DEVICE_OFFLINE", "opened", {})


def test_html_escapes_what_it_is_given() -> None:
    assert "<b>" not in texts.html(Text("<b>Kepala</b>", "a & b"))


def test_without_a_console_there_is_no_link(facts_of) -> None:
    assert texts.compose(facts_of(Kind.DEVICE_OFFLINE, "opened"), Wording()).link == ""


def test_without_a_link_nobody_is_sent_to_one(facts_of) -> None:
    said = facts_of(Kind.UNIT_NO_TAPS, "opened")
    without, linked = (texts.compose(said, Wording(console=console)).plain() for console in ("", "https://h.example"))
    assert "tautan" not in without and "konsol" not in without and "melalui NOC" in without
    assert "melalui tautan" in linked and "https://h.example" in linked
