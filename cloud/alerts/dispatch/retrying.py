"""What follows from how an attempt ended: done, again later, another way, or nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cloud.alerts.channels import Taken, Trouble, Undelivered
from cloud.alerts.policy import Notify
from cloud.records.messages import Fate, Message
from cloud.records.notices import State

LADDER_S: Final = (15, 60, 300, 1800, 7200)
"""Delays after the first, second, … temporary failure; the last one again and again until it is given up."""
BROKEN_S: Final = 3600
HOLD_S: Final = 900
"""A channel that needs a person is tried once in so long: somebody may have put it right."""


@dataclass(frozen=True, slots=True)
class Done:
    """The message is through, and so is what it carried."""

    fate: Fate
    state: State


@dataclass(frozen=True, slots=True)
class Again:
    """The same message to the same address, later."""

    next_ms: int
    tries: int
    unknowns: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What the message carried must go another way."""

    shuns: bool = True
    """This address is not tried again for it."""
    disables: bool = False
    holds_until_ms: int | None = None
    """The whole channel is held so long."""


Verdict = Done | Again | Elsewhere


def after_success(taken: Taken) -> Done:
    """The channel took it."""
    return Done(Fate.DELIVERED if taken.is_delivered else Fate.ACCEPTED, State.TOLD)


def after_trouble(message: Message, error: Undelivered, notify: Notify, *, now_ms: int) -> Verdict:
    """The channel did not take it, or nobody knows."""
    match error.trouble:
        case _ if error.moved_to is not None:
            return Again(now_ms, message.tries, message.unknowns)
        case Trouble.UNKNOWN:
            return _once_more(message, notify, now_ms=now_ms)
        case Trouble.ADDRESS:
            return Elsewhere(disables=True)
        case Trouble.REFUSED:
            return Elsewhere()
        case Trouble.CONFIGURATION:
            return Elsewhere(shuns=False, holds_until_ms=now_ms + HOLD_S * 1000)
        case Trouble.BROKEN:
            return _later(message, BROKEN_S, notify, now_ms=now_ms)
        case _:
            return _later(message, max(_delay_s(message.tries), error.retry_after_s), notify, now_ms=now_ms)


def after_silence(message: Message, notify: Notify, *, now_ms: int) -> Verdict:
    """Its sender died during the call: it may have arrived."""
    return _once_more(message, notify, now_ms=now_ms)


def _once_more(message: Message, notify: Notify, *, now_ms: int) -> Verdict:
    if message.unknowns >= notify.unknown_outcome_resends:
        return Done(Fate.UNSURE, State.UNSURE)
    return Again(now_ms + LADDER_S[0] * 1000, message.tries, message.unknowns + 1)


def _later(message: Message, delay_s: float, notify: Notify, *, now_ms: int) -> Verdict:
    next_ms = now_ms + int(delay_s * 1000)
    if next_ms - message.made_ms > notify.give_up_h * 3_600_000:
        return Elsewhere()
    return Again(next_ms, message.tries + 1, message.unknowns)


def _delay_s(tries: int) -> float:
    return LADDER_S[min(tries, len(LADDER_S) - 1)]
