"""The live screen, for NOC staff: estates, machines and taps as counts. No person, card or unit can be put on it.

`Picture` is everything it shows; `draw` turns one into something rich prints. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Final

from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo import words

NEWS_SHOWN: Final = 5
WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class EstateLine:
    """One rusun: its machines (is each online?) and its taps since the screen opened."""

    name: str
    online: tuple[bool, ...]
    taps: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Taps of the whole city since the screen opened."""

    made: int = 0
    stored: int = 0
    confirmed: int = 0
    waiting: int = 0
    slowest_s: float | None = None
    typical_s: float | None = None


@dataclass(frozen=True, slots=True)
class News:
    """Something that just happened, in Indonesian. Trouble is shown in another colour."""

    at: datetime
    text: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What is on the screen now."""

    now: datetime
    speed: float
    estates: tuple[EstateLine, ...]
    totals: Totals
    news: tuple[News, ...]
    footer: str


def draw(picture: Picture) -> RenderableType:
    """The whole screen."""
    return Group(_head(picture), _estates(picture.estates), _totals(picture), _news(picture.news), _foot(picture.footer))


def plain(picture: Picture) -> str:
    """The same in one line, for a log file."""
    online, machines = _online(picture.estates)
    totals = picture.totals
    return (
        f"{words.clock(picture.now)} | mesin daring {online}/{machines} | tap dibuat {totals.made} "
        f"| tersimpan {totals.stored} | terkonfirmasi {totals.confirmed} | menunggu {totals.waiting} "
        f"| konfirmasi terlama {words.seconds(totals.slowest_s)}"
    )


def _head(picture: Picture) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column()
    line.add_column(justify="right")
    pace = f"waktu dipercepat {picture.speed:g}×" if picture.speed != 1 else "waktu nyata"
    name = Text.assemble(("HADIR", "bold"), "  Jakarta kecil di komputer ini")
    line.add_row(name, Text.assemble(words.day(picture.now), "  ", (words.clock(picture.now), "bold cyan"), f"  {pace}"))
    return line


def _estates(estates: Sequence[EstateLine]) -> RenderableType:
    """Two tables side by side: 23 estates fit on a screen of 24 lines."""
    table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), pad_edge=False)
    for _ in range(2):
        table.add_column("Rusun", no_wrap=True, ratio=1)
        table.add_column("Mesin daring", no_wrap=True)
        table.add_column("Tap", justify="right", no_wrap=True)
        table.add_column("Menunggu", justify="right", no_wrap=True)
    half = (len(estates) + 1) // 2
    for left, right in zip_longest(estates[:half], estates[half:]):
        table.add_row(*_cells(left), *(_cells(right) if right else ()))
    return table


def _cells(estate: EstateLine) -> tuple[RenderableType, ...]:
    is_dark = not all(estate.online)
    return (
        Text(estate.name, "bold red" if is_dark else ""),
        _lamps(estate.online),
        words.number(estate.taps) if estate.taps else Text("0", "dim"),
        Text(words.number(estate.waiting), "bold yellow") if estate.waiting else Text("–", "dim"),
    )


def _lamps(online: Iterable[bool]) -> Text:
    """A lamp and the number: never by colour alone."""
    lamps = tuple(online)
    lit = sum(lamps)
    text = Text.assemble(*(("●", "green") if on else ("○", "bold red") for on in lamps), " ")
    return text.append(f"{lit}/{len(lamps)}", "" if lit == len(lamps) else "bold red")


def _totals(picture: Picture) -> RenderableType:
    totals = picture.totals
    online, machines = _online(picture.estates)
    figures = (
        ("Mesin daring", f"{online}/{machines}", "green" if online == machines else "bold red"),
        ("Tap dibuat", words.number(totals.made), "bold"),
        ("Tersimpan", words.number(totals.stored), "bold"),
        ("Terkonfirmasi", words.number(totals.confirmed), "bold green"),
        ("Menunggu", words.number(totals.waiting), "bold yellow" if totals.waiting else "dim"),
        ("Konfirmasi biasa", words.seconds(totals.typical_s), ""),
        ("terlama", words.seconds(totals.slowest_s), ""),
    )
    cells = [Text.assemble((f"{label} ", "dim"), (value, style)) for label, value, style in figures]
    return Panel(Columns(cells, padding=(0, 3)), box=box.SQUARE, padding=(0, 1), border_style="dim")


def _news(news: Sequence[News]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    shown = list(news[-NEWS_SHOWN:])
    for item in shown:
        table.add_row(Text(words.clock(item.at), "dim"), Text(item.text, "bold yellow" if item.is_trouble else ""))
    for _ in range(NEWS_SHOWN - len(shown)):
        table.add_row("", "")
    return Group(Text("Baru saja terjadi", "bold"), table)


def _foot(text: str) -> RenderableType:
    return Text(text, "dim")


def _online(estates: Iterable[EstateLine]) -> tuple[int, int]:
    lamps = [lamp for estate in estates for lamp in estate.online]
    return sum(lamps), len(lamps)
