"""What officials and the NOC do on the command line. Output in Indonesian or JSON; one sentence when it cannot be done.

Exit codes: 0 done · 1 cannot be done, the sentence says why · 2 wrong usage · 3 a check found something.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import click
from rich.console import Console

from cloud.alerts import acting, checking, policy, tables
from cloud.alerts.acting import Desk
from cloud.alerts.flags.flag import Flag, Outcome
from cloud.alerts.flags.hushes import Silence
from cloud.alerts.kinds import Kind
from cloud.alerts.settings import DeskSettings
from cloud.alerts.texts import wording
from cloud.days import HOUR, day_of
from cloud.records import Connection, Records, open_records, registry

FOUND: Final = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hall:
    """What a command is given: when it is."""

    now: datetime

    @property
    def now_ms(self) -> int:
        """The instant."""
        return round(self.now.timestamp() * 1000)


as_json = click.option("--json", "is_json", is_flag=True, help="JSON instead of a table.")
by = click.option("--by", required=True, envvar="HADIR_PERSON", help="Who you are (or HADIR_PERSON).")
reason = click.option("--reason", required=True, help="Why.")
kind = click.option(
    "--kind", type=click.Choice([each.value for each in Kind]), default=None, help="Of this kind alone."
)
estate = click.option("--estate", default="", help="Of this estate alone.")


@click.command()
@kind
@estate
@click.option("--all", "with_ended", is_flag=True, help="Also those that have ended.")
@as_json
@click.pass_obj
def flags(hall: Hall, kind: str | None, estate: str, with_ended: bool, is_json: bool) -> None:
    """List open flags, newest first. No household is named."""
    found = _read(lambda connection: acting.opened(connection, kind=kind or "", estate=estate, with_ended=with_ended))
    if is_json:
        _print_json([tables.flag_as_json(flag, with_subject=False) for flag in found])
    else:
        _print(tables.flags(found) if found else "Tidak ada flag.")


@click.command()
@click.argument("number")
@by
@as_json
@click.pass_obj
def show(hall: Hall, number: str, by: str, is_json: bool) -> None:
    """Show flag NUMBER with its evidence and history. That you looked is recorded where it is about a household."""
    flag, events = _act(hall, by, lambda desk: desk.look(number))
    if is_json:
        history = [tables.event_as_json(event) for event in events]
        _print_json({**tables.flag_as_json(flag, with_subject=True), "history": history})
    else:
        _print(tables.details(flag), *tables.recount(flag), tables.events(events))


@click.command()
@click.argument("number")
@by
@click.option("--hours", type=click.IntRange(1, 24 * 30), default=None, help="For how long; default: the policy's.")
@as_json
@click.pass_obj
def ack(hall: Hall, number: str, by: str, hours: int | None, is_json: bool) -> None:
    """Take flag NUMBER in hand for a while. Then, or when it gets worse, it speaks again."""
    expiry_h = hours or _expiry_h(hall)
    flag = _act(hall, by, lambda desk: desk.acknowledge(number, expiry_h=expiry_h))
    until = wording.instant(flag.acknowledged_until_ms or hall.now_ms)
    _done(flag, f"{flag.number} diambil oleh {flag.owner} sampai {until}.", is_json)


@click.command()
@click.argument("number")
@click.argument("to")
@by
@as_json
@click.pass_obj
def assign(hall: Hall, number: str, to: str, by: str, is_json: bool) -> None:
    """Give flag NUMBER to somebody."""
    flag = _act(hall, by, lambda desk: desk.assign(number, to=to, expiry_h=_expiry_h(hall)))
    _done(flag, f"{flag.number} ditugaskan kepada {flag.owner}.", is_json)


@click.command()
@click.argument("number")
@click.argument("outcome", type=click.Choice([each.value for each in Outcome]))
@by
@as_json
@click.pass_obj
def decide(hall: Hall, number: str, outcome: str, by: str, is_json: bool) -> None:
    """Record what was decided about flag NUMBER. Nothing is sent to the household."""
    flag = _act(hall, by, lambda desk: desk.decide(number, Outcome(outcome)))
    _done(flag, f"{flag.number} diputuskan: {flag.outcome}.", is_json)


@click.command()
@by
@reason
@click.option("--hours", type=click.FloatRange(0, 24 * 90, min_open=True), required=True, help="For how long.")
@kind
@estate
@click.option("--subject", default="", help="Of this machine, unit or estate alone.")
@as_json
@click.pass_obj
def silence(
    hall: Hall, by: str, reason: str, hours: float, kind: str | None, estate: str, subject: str, is_json: bool
) -> None:
    """Have nobody told of some flags for a while. They are decided and recorded all the same."""
    if not (kind or estate or subject):
        raise click.UsageError("say of what: --kind, --estate or --subject; silence on everything would hide an outage")
    until_ms = hall.now_ms + round(hours * HOUR)
    _act(hall, by, lambda desk: desk.silence(Silence(hall.now_ms, until_ms, reason, by, kind or "", estate, subject)))
    if is_json:
        _print_json({"until_ms": until_ms})
    else:
        _print(f"Tidak ada yang diberi tahu sampai {wording.instant(until_ms)}.")


@click.group()
def gate() -> None:
    """The mass gate: many openings at once wait for a human."""


@gate.command()
@click.argument("estate")
@by
@reason
@as_json
@click.pass_obj
def release(hall: Hall, estate: str, by: str, reason: str, is_json: bool) -> None:
    """Let through what the gate holds at ESTATE: the next evaluation opens it."""
    _passed(_act(hall, by, lambda desk: desk.release(estate, reason)), estate, "dilepas", is_json)


@gate.command()
@click.argument("estate")
@by
@reason
@as_json
@click.pass_obj
def dismiss(hall: Hall, estate: str, by: str, reason: str, is_json: bool) -> None:
    """Keep from opening what the gate holds at ESTATE: it was no household's doing."""
    _passed(_act(hall, by, lambda desk: desk.dismiss(estate, reason)), estate, "diabaikan", is_json)


@click.command("test-message")
@click.argument("person")
@as_json
@click.pass_obj
def test_message(hall: Hall, person: str, is_json: bool) -> None:
    """Send PERSON a test message; a running worker sends it within seconds."""
    _act(hall, "", lambda desk: desk.test(person))
    if is_json:
        _print_json({"person": person})
    else:
        _print(f"Pesan uji untuk {person} akan segera dikirim.")


@click.group("policy")
def policy_group() -> None:
    """The thresholds."""


@policy_group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@as_json
@click.pass_obj
def check(hall: Hall, file: Path | None, is_json: bool) -> None:
    """Read the policy in FILE (default: the one in force), and name estates whose absence clock could never run."""
    policies = policy.read(file) if file is not None else DeskSettings.read().policies()
    today = day_of(hall.now_ms)

    def look(connection: Connection) -> list[checking.Trouble]:
        estates, stood = registry.all_estates(connection), registry.all_installations(connection)
        return checking.troubles(policies, estates, stood, today=today)

    found = _read(look)
    if is_json:
        _print_json([{"estate": each.estate, "since": each.since, "obstacle": each.obstacle} for each in found])
    else:
        version = policies.at(today).version
        _print(tables.troubles(found) if found else f"Kebijakan {version} cocok dengan semua rusun.")
    if found:
        raise click.exceptions.Exit(FOUND)


@click.command()
@as_json
def verify(is_json: bool) -> None:
    """Check the chain of events: that none was changed, removed or put in."""
    broken, head = _read(acting.verified)
    shown: dict[str, object] = {"events": head.event_id, "head": head.hash, "broken_at": None, "why": None}
    if broken is not None:
        shown |= {"broken_at": broken.event_id, "why": broken.reason}
    if is_json:
        _print_json(shown)
    elif broken is None:
        _print(f"Rantai {head.event_id} kejadian utuh. Ujungnya: {head.hash}")
    else:
        _print(f"Rantai putus pada kejadian {broken.event_id}: {broken.reason}")
    if broken is not None:
        raise click.exceptions.Exit(FOUND)


COMMANDS: Final = (flags, show, ack, assign, decide, silence, gate, test_message, policy_group, verify)


# ---- how it is done --------------------------------------------------------------------------------------------------


def _records() -> Records:
    settings = DeskSettings.read()
    try:
        return open_records(settings.database())
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _read(work: Callable[[Connection], T]) -> T:
    with closing(_records()) as records:
        return records.read(work)


def _act(hall: Hall, by: str, work: Callable[[Desk], T]) -> T:
    with closing(_records()) as records:
        return work(Desk(records, by.strip(), hall.now_ms))


def _expiry_h(hall: Hall) -> int:
    return DeskSettings.read().policies().at(day_of(hall.now_ms)).quiet.ack_expiry_h


def _done(flag: Flag, sentence: str, is_json: bool) -> None:
    if is_json:
        _print_json(tables.flag_as_json(flag, with_subject=False))
    else:
        _print(sentence)


def _passed(count: int, estate: str, done: str, is_json: bool) -> None:
    if is_json:
        _print_json({"estate": estate, "flags": count})
    else:
        _print(f"{wording.number(count)} flag di {estate} {done}.")


def _print(*shown: object) -> None:
    Console(soft_wrap=True).print(*shown, sep="\n", highlight=False, markup=False)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))
