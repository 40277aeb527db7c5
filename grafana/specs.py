"""What a dashboard is before anything of Grafana's: its question, panels, and the words that go with colours. Plain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from grafana.queries import Query


class Kind(StrEnum):
    """How a panel shows its answer; the value is Grafana's panel type."""

    STAT = "stat"
    TABLE = "table"
    TREND = "timeseries"
    TIMELINE = "state-timeline"
    BARS = "barchart"
    MAP = "xychart"
    TEXT = "text"


GREEN: Final = "green"
AMBER: Final = "orange"
RED: Final = "red"
GREY: Final = "#808080"


@dataclass(frozen=True, slots=True)
class Step:
    """From *begin* on (None = from below everything) the state is called *word* and has this colour."""

    begin: float | None
    word: str
    colour: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """Thresholds; every colour has its word."""

    steps: tuple[Step, ...]

    def legend(self) -> str:
        """The steps in one line, for the panel's description."""
        first, *rest = self.steps
        return "; ".join([first.word, *(f"{step.word} mulai {_number(step.begin)}" for step in rest)])


def _number(value: float | None) -> str:
    return f"{value:g}".replace(".", ",")


def rising(amber: float, red: float) -> Ladder:
    """The more, the worse."""
    return Ladder((Step(None, "AMAN", GREEN), Step(amber, "WASPADA", AMBER), Step(red, "GANGGUAN", RED)))


def falling(amber: float, green: float) -> Ladder:
    """The less, the worse."""
    return Ladder((Step(None, "KURANG", RED), Step(amber, "WASPADA", AMBER), Step(green, "BAIK", GREEN)))


def yes(good: str, bad: str) -> Ladder:
    """1 is *good*, 0 is *bad*."""
    return Ladder((Step(None, bad, RED), Step(1, good, GREEN)))


@dataclass(frozen=True, slots=True)
class Ask:
    """A query of a panel: `table` rows, or `series` named by `alias`."""

    query: Query
    form: str = "table"
    alias: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column of the answer is shown: a number with its unit, or `spoken` as the words of its ladder."""

    field: str
    title: str = ""
    unit: str = ""
    decimals: int | None = None
    ladder: Ladder | None = None
    spoken: bool = False
    link: str = ""
    hidden: bool = False
    bars: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. `tells` says what it shows, `empty` what it means when there is nothing to show."""

    kind: Kind
    title: str
    tells: str = ""
    empty: str = ""
    asks: tuple[Ask, ...] = ()
    width: int = 6
    height: int = 4
    unit: str = "none"
    decimals: int | None = None
    ladder: Ladder | None = None
    columns: tuple[Column, ...] = ()
    span: str = ""
    worst: tuple[tuple[str, bool], ...] = ()
    matrix: tuple[str, str, str] | None = None
    link: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of the dashboard; `several` allows more than one, and all."""

    name: str
    label: str
    query: Query
    several: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """Spans marked in the trends of a dashboard; the query gives text, tags and end_ms."""

    name: str
    query: Query
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard and the one question it answers; `when_red` is what to do, for docs/dashboards.md."""

    uid: str
    title: str
    question: str
    when_red: tuple[str, ...]
    begin: str
    end: str = "now"
    refresh: str = ""
    variables: tuple[Variable, ...] = ()
    notes: tuple[Note, ...] = ()
    rows: tuple[tuple[Panel, ...], ...]
    for_officials: bool = False
