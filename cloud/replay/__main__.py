"""`hadir-replay DIR`: recorded facts in, the flags the rules would have opened out. Everything is wired here."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from cloud.alerts import policy
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import BadPolicy, Policies
from cloud.records import RecordsUnavailable
from cloud.replay import courses, directory, instants, judging, outcome, summary
from cloud.replay.directory import Directory
from cloud.replay.faults import BadReplay
from cloud.replay.instants import BadInstant
from cloud.replay.outcome import Tally, Told


def _kinds(context: click.Context, parameter: click.Parameter, text: str | None) -> frozenset[Kind]:
    if text is None:
        return frozenset(Kind)
    try:
        return frozenset(Kind(name.strip()) for name in text.split(","))
    except ValueError:
        raise click.BadParameter(f"known kinds are {', '.join(Kind)}") from None


def _every(context: click.Context, parameter: click.Parameter, text: str) -> int:
    try:
        return instants.every(text)
    except BadInstant as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--until", metavar="INSTANT", help="Stop here (RFC 3339, or a date) instead of at the directory's end.")
@click.option("--every", default="1d", show_default=True, callback=_every, help="How often it is judged: 1d, 6h, 30m.")
@click.option("--kinds", metavar="A,B", callback=_kinds, help="Say only what concerns these kinds of flag.")
@click.option(
    "--compare",
    metavar="POLICY.toml",
    type=click.Path(path_type=Path),
    help="Judge by this policy (b) as well, and mark what only one of both says.",
)
@click.option("--summary", "is_summary", is_flag=True, help="A table for people instead of the lines.")
def main(
    folder: Path, until: str | None, every: int, kinds: frozenset[Kind], compare: Path | None, is_summary: bool
) -> None:
    """Say what the rules would have said about the recorded facts in DIR: one JSON object a line, or a table.

    Exit status: 0 replayed, 1 the directory or a policy is refused, 2 wrong use.
    """
    with _explained():
        found = directory.open_directory(folder)
        policies = [found.policies, *([policy.read(compare)] if compare else [])]
        span = found.span[0], instants.until(until, found.span) if until else found.span[1]
        tally = Tally()
        say = tally.add if is_summary else _print
        asyncio.run(_replay(found, policies, list(instants.between(span, every)), kinds=kinds, say=say))
    if is_summary:
        Console().print(summary.table(tally, span, tuple(each.at(found.until).version for each in policies)))


async def _replay(
    found: Directory,
    policies: Sequence[Policies],
    at: Sequence[int],
    *,
    kinds: frozenset[Kind],
    say: Callable[[Sequence[Told]], None],
) -> None:
    evaluators = [judging.evaluator(each, kinds) for each in policies]
    with courses.on_disk(found, evaluators) as both:
        async for _, changes in courses.changes(found, both, at):
            say(outcome.told(changes, kinds=kinds))


def _print(lines: Sequence[Told]) -> None:
    for each in lines:
        sys.stdout.write(each.line() + "\n")


@contextmanager
def _explained() -> Iterator[None]:
    """What an analyst can put right becomes a sentence."""
    try:
        yield
    except BadInstant as error:
        raise click.BadParameter(str(error), param_hint="--until") from error
    except (BadReplay, BadPolicy, RecordsUnavailable) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
