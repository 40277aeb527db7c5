"""The table for people, in Indonesian: how often which flag would have been opened, and how it ended."""

from __future__ import annotations

from datetime import date
from typing import Final

from babel.dates import format_date
from babel.numbers import format_decimal
from rich.table import Table

from cloud.alerts.flags.changes import What
from cloud.days import Span, day_of
from cloud.replay.outcome import SIDES, Side, Tally

LOCALE: Final = "id"
NARROWEST: Final = 60
"""Characters in which the title has room."""
HEADINGS: Final = {
    What.WATCH: "dipantau",
    What.OPENED: "dibuka",
    What.REMINDED: "diingatkan",
    What.CASE: "jadi kasus",
    What.CLOSED: "ditutup",
    What.RETRACTED: "dicabut",
    What.SUPERSEDED: "digantikan",
    What.HELD: "ditahan",
}


def table(tally: Tally, span: Span, names: tuple[str, ...]) -> Table:
    """The counts of one policy, or of two beside each other; *names* are what the policies are called."""
    first, last = (_day(day_of(ms)) for ms in span)
    found = Table(title=f"Putar ulang {first} – {last}", caption=_caption(names), min_width=NARROWEST)
    is_comparison = len(names) > 1
    for heading in ("kebijakan", "jenis") if is_comparison else ("jenis",):
        found.add_column(heading, no_wrap=True)
    for what in tally.columns:
        found.add_column(HEADINGS[what], justify="right")
    for side in SIDES[: len(names)]:
        for cells in _rows(tally, side):
            found.add_row(*((side, *cells) if is_comparison else cells))
    return found


def _rows(tally: Tally, side: Side) -> list[tuple[str, ...]]:
    return [(str(kind), *(_number(count) for count in counted)) for kind, counted in tally.rows(side)]


def _caption(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"kebijakan {names[0]}"
    return "; ".join(f"{side} = kebijakan {name}" for side, name in zip(SIDES, names, strict=True))


def _number(count: int) -> str:
    return format_decimal(count, locale=LOCALE) if count else "–"


def _day(day: date) -> str:
    return format_date(day, "d MMMM y", locale=LOCALE)
