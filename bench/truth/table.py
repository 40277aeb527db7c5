"""The figures of all seeds as tables: for a terminal, and as Markdown for the documents. Pure."""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.truth.measuring import Judged, Seed

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its title, its head, its rows."""

    title: str
    head: Row
    rows: tuple[Row, ...]

    def rich(self) -> Table:
        """For a terminal."""
        table = Table(title=self.title, title_justify="left")
        for place, name in enumerate(self.head):
            table.add_column(name, justify="right" if place else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a document."""
        line = "|" + "|".join(["---", *["---:"] * (len(self.head) - 1)]) + "|"
        body = [self.head, *self.rows]
        shown = ["| " + " | ".join(row) + " |" for row in body]
        return "\n".join([f"**{self.title}**", "", shown[0], line, *shown[1:], ""])


def sheets(seeds: Sequence[Seed]) -> list[Sheet]:
    """Everything there is to say."""
    return [short(seeds), by_rule(seeds), by_habit(seeds), gate(seeds), by_seed(seeds)]


def short(seeds: Sequence[Seed]) -> Sheet:
    """What must hold and what it costs, for three periods and for four with a single card."""
    both = [[seed.three for seed in seeds], [seed.four for seed in seeds]]
    months = sum(sum(seed.months.values()) for seed in seeds)
    outages = [seed.outages for seed in seeds]
    rows: list[Row] = [
        ("openings", *(str(_sum(each, "openings")) for each in both), ""),
        ("lines only hadir-replay has", *(str(_sum(each, "not_recounted")) for each in both), "0"),
        ("lines only the recount has", *(str(_sum(each, "not_replayed")) for each in both), "0"),
        ("sub-lettings flagged, of all", *(f"{_sum(each, 'caught')} of {_sum(each, 'families')}" for each in both), ""),
        ("… of those with 3 judgeable missed periods", *map(_recall, both), "all"),
        ("… after days, median (most)", *map(_after, both), ""),
        ("openings per 1,000 honest unit-months", *(f"{1000 * _honest(each) / months:.1f}" for each in both), ""),
        ("Lebaran days counted", *(str(_sum(each, "lebaran")) for each in both), "0"),
        ("openings caused or advanced by an outage of the own estate", str(sum(o.by_own for o in outages)), "", "0"),
        ("openings through a late tap from another estate", str(sum(o.by_late_elsewhere for o in outages)), "", ""),
        ("honest openings where a machine prevented a tap", str(sum(o.prevented for o in outages)), "", ""),
        ("honest openings where a disk lost a tap", str(sum(o.lost for o in outages)), "", ""),
    ]
    return Sheet(
        f"UNIT_NO_TAPS, {len(seeds)} cities of known truth with {sum(seed.units for seed in seeds):,} flats",
        ("", "open = 3", "open_one_card = 4", "must be"),
        tuple(rows),
    )


def is_good(seeds: Sequence[Seed]) -> bool:
    """Whether all that must be zero is zero, and nobody was missed."""
    judged = [each for seed in seeds for each in (seed.three, seed.four)]
    wrong = sum(each.not_replayed + each.not_recounted + each.lebaran for each in judged)
    wrong += sum(seed.gate["only hadir-replay"] + seed.gate["only the recount"] for seed in seeds)
    return not wrong and not sum(seed.three.due_not_caught + seed.outages.by_own for seed in seeds)


def by_rule(seeds: Sequence[Seed]) -> Sheet:
    """How often each rule opened."""
    total: Counter[str] = sum((seed.rules for seed in seeds), Counter())
    return Sheet("Openings by rule, all cities", ("rule", "openings"), _rows(sorted(total.items())))


def by_habit(seeds: Sequence[Seed]) -> Sheet:
    """Which habits and misfortunes are asked about, and how often."""
    months: Counter[str] = Counter()
    for seed in seeds:
        months.update(seed.months)
    three, four = (sum((pick(seed).honest for seed in seeds), Counter[str]()) for pick in (_three, _four))
    rows = [
        (habit, f"{lived:,.0f}", str(three[habit]), str(four[habit]), f"{1000 * three[habit] / lived:.1f}")
        for habit, lived in sorted(months.items(), key=lambda item: (-three[item[0]], item[0]))
    ]
    head = ("honest households", "unit-months", "openings", "open_one_card = 4", "per 1,000 months")
    return Sheet("Openings about honest households", head, tuple(rows))


def gate(seeds: Sequence[Seed]) -> Sheet:
    """The same cities with the mass gate."""
    total: Counter[str] = sum((seed.gate for seed in seeds), Counter())
    return Sheet("With the mass gate: lines", ("line", "number"), _rows(sorted(total.items())))


def by_seed(seeds: Sequence[Seed]) -> Sheet:
    """Each city by itself."""
    head = ("seed", "units", "machines", "facts", "openings", "replay / recount alone", "sub-let flagged", "own outage")
    return Sheet(
        "City by city",
        head,
        tuple(
            (
                str(seed.seed), str(seed.units), str(seed.machines), f"{seed.facts:,}", str(seed.three.openings),
                f"{seed.three.not_recounted} / {seed.three.not_replayed}",
                f"{seed.three.caught} of {seed.three.families}", str(seed.outages.by_own),
            )
            for seed in seeds
        ),
    )  # fmt: skip


def _three(seed: Seed) -> Judged:
    return seed.three


def _four(seed: Seed) -> Judged:
    return seed.four


def _rows(items: Iterable[tuple[str, int]]) -> tuple[Row, ...]:
    return tuple((name, str(number)) for name, number in items)


def _sum(judged: Iterable[Judged], name: str) -> int:
    return sum(int(getattr(each, name)) for each in judged)


def _honest(judged: Iterable[Judged]) -> int:
    return sum(sum(each.honest.values()) for each in judged)


def _recall(judged: Sequence[Judged]) -> str:
    due = _sum(judged, "due")
    return f"{due - _sum(judged, 'due_not_caught')} of {due}"


def _after(judged: Iterable[Judged]) -> str:
    days = [day for each in judged for day in each.after_days]
    return f"{statistics.median(days):.0f} ({max(days)})" if days else "–"
