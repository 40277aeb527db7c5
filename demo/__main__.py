"""`hadir-demo`: a small Jakarta on this computer. Options and environment in, an exit code out."""

import asyncio
import logging
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from demo import city as cities
from demo import elsewhere, report, run
from demo.fleet import MachineEnded
from demo.foundation import Series
from demo.performance import Outcome
from demo.run import Curtain, Wishes
from demo.servers.process import MissingProgram, ServerFailed

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|)")
_SECONDS: Final = {"s": 1, "": 1, "m": 60, "h": 3600}


def duration(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """`60s`, `5m`, `1h` or plain seconds."""
    if not text:
        return None
    found = _DURATION.fullmatch(text.strip())
    if found is None or float(found[1]) <= 0:
        raise click.BadParameter("give a time such as 60s, 5m or 1h")
    return float(found[1]) * _SECONDS[found[2]]


PROBE_S: Final = 20.0
_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.group(invoke_without_command=True)
@click.option("--for", "for_s", envvar="FOR", callback=duration, metavar="TIME", help="Run so long: 60s, 5m.")
@click.option("--speed", envvar="SPEED", default=60.0, type=click.FloatRange(0.1, 5000), show_default=True)
@click.option("--influx-url", envvar="INFLUX_URL", metavar="URL", help="Write series there; else into files.")
@click.option("--influx-token-file", envvar="INFLUX_TOKEN_FILE", type=_FILE, help="Holds the token for it.")
@click.option("--influx-org", envvar="INFLUX_ORG", default="hadir", show_default=True)
@click.option("--machines", default=cities.MACHINES, type=click.IntRange(2, 99), show_default=True)
@click.option(
    "--units", "share", default=0.25, type=click.FloatRange(0.01, 1), show_default=True, help="Share of flats."
)
@click.option("--past", "weeks", default=10, type=click.IntRange(0, 10), show_default=True, help="Weeks of history.")
@click.option("--seed", default=17, show_default=True, help="Another number, another city.")
@click.option("--picture", type=_FILE, help="Save the screen as SVG, in the middle of the run.")
@click.option("--top-speed", is_flag=True, help="Run faster and faster, until the machines no longer keep up.")
@click.pass_context
def main(context: click.Context, /, top_speed: bool, **asked: Any) -> None:  # Any: click's own
    """A small Jakarta: 32 real machines in 23 rusun, a real broker with TLS, real ingest, and residents with habits."""
    if context.invoked_subcommand is not None:
        return
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    series = Series(asked.pop("influx_url"), asked.pop("influx_token_file"), asked.pop("influx_org"))
    wishes, console = Wishes(series=series, **asked), Console(highlight=False)
    sys.exit(_explained(lambda: _probe(wishes, console) if top_speed else _show(wishes, console)))


main.add_command(elsewhere.machines)
main.add_command(elsewhere.registry)


def _explained(work: Callable[[], int]) -> int:
    """What *work* returns; whatever is missing or broke becomes one sentence."""
    troubles: list[BaseException] = []
    try:
        return work()
    except* (MissingProgram, ServerFailed, MachineEnded) as group:
        troubles.append(group)
    except* (asyncio.CancelledError, KeyboardInterrupt):
        click.echo("Stopped before the screen opened; nothing was left running.", err=True)
    if troubles:
        raise click.ClickException(str(_first(troubles[0])))
    return 130


def _first(trouble: BaseException) -> BaseException:
    return _first(trouble.exceptions[0]) if isinstance(trouble, BaseExceptionGroup) else trouble


def _show(wishes: Wishes, console: Console) -> int:
    outcome = asyncio.run(_stoppable(wishes, console))
    console.print(report.draw(outcome.account, outcome.run))
    return 0 if outcome.account.is_good else 1


def _probe(wishes: Wishes, console: Console) -> int:
    """Double SPEED until residents have to wait; each step is a run of its own, without a past."""
    best, speed = None, wishes.speed
    while True:
        step = replace(wishes, speed=speed, for_s=PROBE_S, weeks=0, picture=None)
        outcome = asyncio.run(_stoppable(step, console))
        console.print(report.probed(outcome.run, keeps_up=outcome.keeps_up, is_good=outcome.account.is_good))
        if not (outcome.keeps_up and outcome.account.is_good):
            break
        best, speed = speed, speed * 2
    console.print(report.probe_result(best, wishes.machines))
    return 0 if best else 1


async def _stoppable(wishes: Wishes, console: Console) -> Outcome:
    """The run; the first Ctrl-C ends the show in good order, the next one (or one before the show) at once."""
    curtain, task, loop = Curtain(), asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None, "a coroutine runs in a task"

    def interrupt() -> None:
        if curtain.is_open and not curtain.stop.is_set():
            curtain.stop.set()
        else:
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, interrupt)
    return await run.run(wishes, console, now=datetime.now(UTC), curtain=curtain)


if __name__ == "__main__":
    main()
