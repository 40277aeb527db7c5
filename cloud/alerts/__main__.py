"""`hadir-alerts`: the worker, and what officials and the NOC do by hand. Everything is wired here."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import click

from cloud.alerts import addressing, commands, running
from cloud.alerts.acting import NothingHeld, UnknownFlag, UnknownPerson
from cloud.alerts.commands import Hall
from cloud.alerts.flags.handling import NotNow
from cloud.alerts.policy import BadPolicy
from cloud.alerts.roster import BadRoster
from cloud.alerts.settings import BadSettings, Settings
from cloud.history import BadHistoryUrl
from cloud.records import BadData, RecordsUnavailable


def now() -> datetime:
    """The real time: the only place in this program that asks for it."""
    return datetime.now(UTC)


class _Group(click.Group):
    """Explains what can be put right, instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:  # Any: click's own signature
        try:
            return super().invoke(ctx)
        except (BadSettings, BadPolicy, BadRoster, BadHistoryUrl, RecordsUnavailable, BadData) as error:
            raise click.ClickException(str(error)) from error
        except (UnknownFlag, UnknownPerson, NothingHeld, NotNow) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, invoke_without_command=True)
@click.pass_context
def main(ctx: click.Context) -> None:
    """Says what is wrong, to whom it concerns. Without a command: `run`.

    Exit codes: 0 done, 1 cannot be done (a sentence says why), 2 wrong usage, 3 a check found something.
    """
    ctx.obj = Hall(now())
    if ctx.invoked_subcommand is None:
        ctx.invoke(run)


@main.command()
def run() -> None:
    """Run the worker until SIGTERM."""
    settings = Settings.read()
    configure_logging(settings.log)
    running.run(settings, now=now)


for command in commands.COMMANDS:
    main.add_command(command)
main.add_command(addressing.group)


def configure_logging(level: str) -> None:
    """One line per record on standard error, with its stable `action`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s [%(action)s]", defaults={"action": "-"})
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


if __name__ == "__main__":
    main()
