"""The screen: what a NOC officer reads, on any terminal, and nothing about a person."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from demo import screen
from demo.screen import EstateLine, News, Picture, Totals

NOW = datetime(2026, 11, 17, 1, 12, tzinfo=UTC)
ESTATES = tuple(EstateLine(f"Rusun {letter}", (True,), 3, 0) for letter in "ABCDEFGHIJKLMNOPQRSTUV")
DARK = EstateLine("Marunda", (True, False), 1234, 7)


def picture(**changes: object) -> Picture:
    facts = {
        "now": NOW,
        "speed": 60.0,
        "estates": (DARK, *ESTATES),
        "totals": Totals(1240, 1239, 1233, 7, 0.31, 0.05),
        "news": (News(NOW, "Mesin MRD-02 luring", True),),
        "footer": "Ctrl-C = selesai",
    }
    return Picture(**{**facts, **changes})  # type: ignore[arg-type]


def lines(shown: Picture, *, width: int = 100, height: int = 40) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(screen.draw(shown, height=height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_it_says_the_time_of_the_city_and_how_fast_it_passes() -> None:
    assert "Selasa, 17 November 2026  08.12 WIB  60× lebih cepat" in lines(picture())[0]


def test_at_real_speed_it_says_so() -> None:
    assert "waktu nyata" in lines(picture(speed=1.0))[0]


@pytest.mark.parametrize("words", ["31", "1.240", "1.239", "1.233", "0,31 detik", "0,05 detik"])
def test_totals_are_written_as_in_indonesia(words: str) -> None:
    assert any(words in line for line in lines(picture()))


def test_an_offline_machine_shows_without_colour() -> None:
    marunda = next(line for line in lines(picture()) if "Marunda" in line)
    assert "●○ 1/2" in marunda
    assert "1.234" in marunda


@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 60)])
def test_it_fits_the_terminal(width: int, height: int) -> None:
    drawn = lines(picture(news=(News(NOW, "Mesin MRD-02 luring", True),) * 20), width=width, height=height)
    assert len(drawn) <= height
    assert max(map(len, drawn)) <= width


def test_the_latest_news_survive_on_a_low_terminal() -> None:
    news = tuple(News(NOW, f"kabar {number}") for number in range(10))
    drawn = "\n".join(lines(picture(news=news), height=24))
    assert "kabar 9" in drawn
    assert "kabar 0" not in drawn


def test_a_log_gets_the_same_figures_in_one_line() -> None:
    assert screen.plain(picture()) == (
        "08.12 WIB | mesin daring 23/24 | tap dibuat 1.240 | tersimpan 1.239 | terkonfirmasi 1.233 "
        "| menunggu 7 | konfirmasi terlama 0,31 detik"
    )


def test_before_the_first_confirmation_there_is_a_dash() -> None:
    assert screen.plain(picture(totals=Totals())).endswith("konfirmasi terlama –")
