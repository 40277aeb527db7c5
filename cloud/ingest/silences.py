"""Silences: from when to when a machine was not heard, told minute by minute by the server's clock. Pure; times are ms.

A silence begins with the last sign of life and is told only of minutes of which it is certain. As long as nothing new
was heard it is one silence, however often ingesters started anew meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cloud.ingest import points
from cloud.ingest.minutes import Listening
from cloud.ingest.points import Interval, Registered
from cloud.records.shown import Silence
from contract.series import Point


@dataclass(frozen=True, slots=True)
class Minute:
    """The minute that is told, and the stretch for which somebody has listened."""

    at_ms: int
    listening: Listening


@dataclass(frozen=True, slots=True)
class Ended:
    """A silence that is over, and when it was."""

    silence: Silence
    end_ms: int


@dataclass(frozen=True, slots=True)
class Told:
    """What one minute says of silences: those that last until it, and those that have ended."""

    lasting: tuple[Silence, ...] = ()
    ended: tuple[Ended, ...] = ()

    def begun(self, before: Sequence[Silence]) -> list[Silence]:
        """Of the lasting ones, those that were not open before."""
        known = {_key(each) for each in before}
        return [each for each in self.lasting if _key(each) not in known]

    def points(self) -> list[Point]:
        """One each; the same point until its silence ends."""
        lasting = [(each, each.until_ms, None) for each in self.lasting]
        ended = [(each.silence, each.end_ms, each.end_ms) for each in self.ended]
        return [
            points.offline(Interval(each.since_ms, end_ms), device=each.device, estate=each.estate, now_ms=now_ms)
            for each, now_ms, end_ms in [*lasting, *ended]
        ]


def tell(
    certain: Iterable[Registered], standing: Sequence[Registered], before: Sequence[Silence], *, minute: Minute
) -> Told:
    """What this minute says of the machines of which anything is *certain*, after the silences that were open *before*.

    A machine that was never heard has not fallen silent. One that stands at its estate no longer is silent there until
    the last minute that told so.
    """
    there = {(each.device, each.estate) for each in standing}
    now = {(each.device, each.estate): each for each in certain}
    lasting = [each for each in (_silence(machine, minute.at_ms) for machine in now.values()) if each is not None]
    goes_on = {_key(each) for each in lasting}
    ended = []
    for each in before:
        place = each.device, each.estate
        if place not in there:
            ended.append(Ended(each, each.until_ms))
        elif place in now and _key(each) not in goes_on:
            ended.append(Ended(each, _end(each, now[place], minute.listening)))
    return Told(tuple(lasting), tuple(ended))


def _silence(machine: Registered, minute_ms: int) -> Silence | None:
    if machine.heard_ms is None or machine.is_online(minute_ms):
        return None
    since_ms = max(machine.heard_ms, machine.installed_ms)
    return Silence(machine.device, machine.estate, since_ms, minute_ms) if since_ms <= minute_ms else None


def _end(silence: Silence, machine: Registered, listening: Listening) -> int:
    """When it was heard again; where nobody listened meanwhile, the last minute in which it surely was not."""
    if listening.since_ms > silence.until_ms or machine.heard_ms is None:
        return silence.until_ms
    if machine.born_ms is not None and silence.until_ms < machine.born_ms <= machine.heard_ms:
        return machine.born_ms
    return max(silence.until_ms, machine.heard_ms)


def _key(silence: Silence) -> Silence:
    return replace(silence, until_ms=0)
