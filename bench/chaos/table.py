"""The loss table, for people on a terminal and as Markdown for the documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.table import Table

from bench.chaos.score import Score
from bench.chaos.stage import Row

NUMBERS: Final = ("made", "stored", "lost", "wrong", "doubled", "refused", "resent", "recovery_s")
HEADINGS: Final = ("taps made", "stored", "lost", "wrong", "doubled", "refused", "resent", "s to recover", "s in all")


@dataclass(frozen=True, slots=True)
class Result:
    """A row that was played: its score, or why there is none."""

    row: Row
    score: Score | None
    failure: str = ""
    seconds: float = 0.0

    @property
    def is_good(self) -> bool:
        """Nothing lost, wrong or doubled that should not be."""
        if self.score is None:
            return False
        if self.row.destroys_unsent:
            return self.score.is_declared and self.score.wrong + self.score.doubled == 0
        return self.score.is_clean


def cells(result: Result) -> list[str]:
    """What stands in the columns of numbers."""
    score = result.score
    if score is None:
        return ["–"] * len(NUMBERS) + [f"{result.seconds:.0f}"]
    numbers = [f"{getattr(score, name):,}" for name in NUMBERS[:-1]]
    return [*numbers, f"{score.recovery_s:.1f}", f"{result.seconds:.0f}"]


def notes(result: Result) -> str:
    """What else there is to say."""
    if result.score is None:
        return result.failure
    declared = "declared" if result.score.is_declared else "NOT DECLARED"
    said = [declared] if result.row.destroys_unsent else []
    complaints = () if result.is_good else result.score.complaints
    return "; ".join([*said, *filter(None, [result.score.note]), *complaints])


def terminal(results: Sequence[Result]) -> Table:
    """For a terminal."""
    table = Table(title="The loss table", title_justify="left", show_lines=False)
    table.add_column("scenario", min_width=max(len(result.row.title) for result in results))
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for result in results:
        table.add_row(result.row.title, *cells(result), style=None if result.is_good else "bold red")
    return table


def markdown(results: Sequence[Result]) -> str:
    """For a document."""
    lines = [
        f"| scenario | {' | '.join(HEADINGS)} | |",
        f"|---|{'---:|' * len(HEADINGS)}---|",
        *(f"| {result.row.title} | {' | '.join(cells(result))} | {notes(result)} |" for result in results),
    ]
    return "\n".join(lines) + "\n"
