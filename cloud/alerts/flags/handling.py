"""What people do about a flag: take it, give it to somebody, decide it, let it through the mass gate. Pure.

What cannot be done is said in Indonesian: officials read it.
"""

from __future__ import annotations

from dataclasses import replace

from cloud.alerts.flags.flag import Flag, Gate, Handling, Outcome


class NotNow(ValueError):
    """The flag is not in a state for this; the message says which it is in, and what can be done."""


def acknowledge(flag: Flag, by: str, *, until_ms: int) -> Flag:
    """*flag*, taken by *by* until *until_ms*; then, or when it gets worse, it speaks again. Raises `NotNow`."""
    _require_open(flag)
    if flag.handling is Handling.DECIDED:
        raise NotNow(f"{flag.number} sudah diputuskan.")
    return replace(flag, handling=Handling.ACKNOWLEDGED, owner=by, acknowledged_until_ms=until_ms)


def assign(flag: Flag, to: str) -> Flag:
    """*flag*, given to *to*. Raises `NotNow`."""
    _require_open(flag)
    return replace(flag, handling=Handling.ASSIGNED, owner=to, acknowledged_until_ms=None)


def decide(flag: Flag, outcome: Outcome, *, now_ms: int) -> Flag:
    """*flag*, decided; also after its end. Raises `NotNow`."""
    if flag.opened_ms is None:
        raise NotNow("Flag ini tidak pernah dibuka: tidak ada yang perlu diputuskan.")
    return replace(flag, handling=Handling.DECIDED, outcome=outcome, decided_ms=now_ms, acknowledged_until_ms=None)


def release(flag: Flag) -> Flag:
    """*flag*, let through the mass gate: the next evaluation opens it. Raises `NotNow`."""
    return replace(_held(flag), gate=Gate.RELEASED)


def dismiss(flag: Flag) -> Flag:
    """*flag*, kept from opening for as long as its episode lasts. Raises `NotNow`."""
    return replace(_held(flag), gate=Gate.DISMISSED)


def _held(flag: Flag) -> Flag:
    if flag.gate is not Gate.HELD or flag.is_open or not flag.condition.is_alive:
        raise NotNow("Flag ini tidak ditahan gerbang massal.")
    return flag


def _require_open(flag: Flag) -> None:
    if not flag.is_open:
        raise NotNow(f"{flag.number or 'Flag ini'} tidak terbuka: tidak dapat diambil atau ditugaskan.")
