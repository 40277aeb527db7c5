"""The live screen, for NOC staff: estates, machines and taps as counts. No person, card or unit can be put on it.

`Picture` is everything it shows; `draw` turns one into something rich prints. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo import words

NEWS_SHOWN: Final = 6
HEIGHT: Final = 32
_FIXED_LINES: Final = 10
"""Head, frame of the table, totals, heading of the news, foot."""


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


def draw(picture: Picture, *, height: int = HEIGHT) -> RenderableType:
    """The whole screen; on a low terminal with less news."""
    rows = (len(picture.estates) + 1) // 2
    room = max(1, min(NEWS_SHOWN, height - rows - _FIXED_LINES - 1))
    return Group(
        _head(picture),
        _estates(picture.estates),
        _totals(picture),
        _news(picture.news[-room:], room),
        Text(picture.footer, "dim"),
    )


def plain(picture: Picture) -> str:
    """The same in one line, for a log file."""
    online, machines = _online(picture.estates)
    totals = picture.totals
    return (
        f"{words.clock(picture.now)} | mesin daring {online}/{machines} | tap dibuat {words.number(totals.made)} "
        f"| tersimpan {words.number(totals.stored)} | terkonfirmasi {words.number(totals.confirmed)} "
        f"| menunggu {words.number(totals.waiting)} | konfirmasi terlama {words.seconds(totals.slowest_s)}"
    )


def _head(picture: Picture) -> RenderableType:
    line = Table.grid(expand=True)
    line.add_column(no_wrap=True)
    line.add_column(justify="right", no_wrap=True)
    pace = f"{picture.speed:g}× lebih cepat" if picture.speed != 1 else "waktu nyata"
    now = Text.assemble(words.day(picture.now), "  ", (words.clock(picture.now), "bold cyan"), f"  {pace}")
    line.add_row(Text.assemble(("HADIR", "bold"), "  Jakarta kecil"), now)
    return line


def _estates(estates: Sequence[EstateLine]) -> RenderableType:
    """Two tables side by side: 23 estates fit on a low terminal."""
    table = Table(box=box.HORIZONTALS, expand=True, padding=(0, 1), pad_edge=False, border_style="dim")
    for _ in range(2):
        table.add_column("Rusun", no_wrap=True, ratio=1)
        table.add_column("Mesin", no_wrap=True, min_width=8)
        table.add_column("Tap", justify="right", no_wrap=True, min_width=4)
        table.add_column("Tunggu", justify="right", no_wrap=True)
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
        ("Mesin daring", f"{online}/{machines}", "bold green" if online == machines else "bold red"),
        ("Tap dibuat", words.number(totals.made), "bold"),
        ("Tersimpan", words.number(totals.stored), "bold"),
        ("Terkonfirmasi", words.number(totals.confirmed), "bold green"),
        ("Menunggu", words.number(totals.waiting), "bold yellow" if totals.waiting else "bold"),
        ("Konfirmasi", words.seconds(totals.typical_s), "bold"),
        ("Terlama", words.seconds(totals.slowest_s), "bold"),
    )
    table = Table.grid(expand=True, padding=(0, 1))
    for _ in figures:
        table.add_column(no_wrap=True)
    table.add_row(*(Text(label, "dim") for label, _, _ in figures))
    table.add_row(*(Text(value, style) for _, value, style in figures))
    return table


def _news(news: Sequence[News], room: int) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for item in news:
        table.add_row(Text(words.clock(item.at), "dim"), Text(item.text, "bold yellow" if item.is_trouble else ""))
    for _ in range(room - len(news)):
        table.add_row("", "")
    return Group(Text(""), Text("Baru saja terjadi", "bold"), table)


def _online(estates: Iterable[EstateLine]) -> tuple[int, int]:
    lamps = [lamp for estate in estates for lamp in estate.online]
    return sum(lamps), len(lamps)
