"""One person's desk: what lies there to be said, and the one step that comes next. Order, budget and bundles live here.

Order is kept per flag; a budget that is used up bundles what waits and never drops it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cloud.alerts.channels import Traits
from cloud.alerts.dispatch.planning import AMENDMENTS, ENDED_UNTOLD, ENDS
from cloud.alerts.policy import Notify
from cloud.records.messages import Message
from cloud.records.notices import Notice
from cloud.records.people import Address, Person

QUARTER_MS: Final = 15 * 60_000
HOUR_MS: Final = 60 * 60_000
ALONE: Final = frozenset({"digest", "test"})
"""What is never bundled: it is a list by itself, or the very thing somebody waits for."""
NO_ADDRESS: Final = "no address is left that takes it"
NOT_AMENDABLE: Final = "there is no message by itself that could be rewritten"

Fits = Callable[[Sequence[Notice], str], int]
"""How many of these notices, from the first, one message of this channel can carry; at least 1."""


@dataclass(frozen=True, slots=True)
class Desk:
    """All that decides what is done next for one person."""

    person: Person
    waiting: Sequence[Notice] = ()
    """Due or not, in the order they were decided."""
    open: Sequence[Message] = ()
    engaged: frozenset[str] = frozenset()
    """Flags that an open message speaks of."""
    told: Sequence[Notice] = ()
    """What may have been told of the flags that wait."""
    targets: Mapping[int, tuple[int, str]] = field(default_factory=dict)
    """Per message that carried one notice alone: at which address it lies, and its name there."""
    disturbed_at: Sequence[int] = ()
    """The last hour's messages."""
    held: Mapping[str, int] = field(default_factory=dict)
    """Channels, each with until when."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing can be done now."""


@dataclass(frozen=True, slots=True)
class Lapsed:
    """A sender took this message and never came back."""

    message: Message


@dataclass(frozen=True, slots=True)
class Retry:
    """Send this message again."""

    message: Message
    address: Address


@dataclass(frozen=True, slots=True)
class Release:
    """What this message carries must go another way."""

    message: Message
    shuns: bool


@dataclass(frozen=True, slots=True)
class Send:
    """A new message."""

    notices: Sequence[Notice]
    address: Address
    amends: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """These will not be said: moot, or nobody can be reached."""

    ids: Sequence[int]
    because: str
    is_moot: bool = True


Step = Rest | Lapsed | Retry | Release | Send | Drop


def next_step(desk: Desk, *, now_ms: int, notify: Notify, traits: Mapping[str, Traits], fits: Fits) -> Step:
    """What comes next for this person."""
    if any(message.lease_until_ms > now_ms and message.running is not None for message in desk.open):
        return Rest()
    return (
        _lapsed(desk)
        or _retry(desk, now_ms=now_ms, notify=notify, traits=traits)
        or _drop(desk)
        or _send(desk, now_ms=now_ms, notify=notify, traits=traits, fits=fits)
        or Rest()
    )


def free_slots(disturbed_at: Sequence[int], notify: Notify, *, now_ms: int) -> int:
    """How many messages more this person may get now."""
    in_quarter = sum(now_ms - at < QUARTER_MS for at in disturbed_at)
    in_hour = sum(now_ms - at < HOUR_MS for at in disturbed_at)
    return max(0, min(notify.per_15min - in_quarter, notify.per_hour - in_hour))


# ---- messages that are under way -------------------------------------------------------------------------------------


def _lapsed(desk: Desk) -> Step | None:
    return next((Lapsed(message) for message in desk.open if message.running is not None), None)


def _retry(desk: Desk, *, now_ms: int, notify: Notify, traits: Mapping[str, Traits]) -> Step | None:
    has_slot = free_slots(desk.disturbed_at, notify, now_ms=now_ms) > 0
    for message in desk.open:
        if message.next_ms > now_ms:
            continue
        address = next((each for each in desk.person.addresses if each.id == message.address), None)
        if address is None or not address.is_usable or address.channel not in traits:
            return Release(message, shuns=True)
        if _is_held(desk, address, now_ms):
            if _others(desk, address, traits, now_ms):
                return Release(message, shuns=False)
            continue
        if has_slot or message.amends is not None:
            return Retry(message, address)
    return None


def _others(desk: Desk, address: Address, traits: Mapping[str, Traits], now_ms: int) -> bool:
    return any(
        each.id != address.id and each.is_usable and each.channel in traits and not _is_held(desk, each, now_ms)
        for each in desk.person.addresses
    )


def _is_held(desk: Desk, address: Address, now_ms: int) -> bool:
    return desk.held.get(address.channel, 0) > now_ms


# ---- what waits ------------------------------------------------------------------------------------------------------


def _drop(desk: Desk) -> Step | None:
    """An end of what was never told, together with what it ends."""
    told = {notice.flag for notice in desk.told if notice.said not in AMENDMENTS}
    told |= {notice.flag for notice in desk.waiting if notice.is_repeat}
    untold = {notice.flag for notice in desk.waiting if notice.said in ENDS} - told - {None} - set(desk.engaged)
    moot = [notice.id for notice in desk.waiting if notice.flag in untold]
    return Drop(moot, ENDED_UNTOLD) if moot else None


def _send(desk: Desk, *, now_ms: int, notify: Notify, traits: Mapping[str, Traits], fits: Fits) -> Step | None:
    due = [notice for notice in desk.waiting if notice.due_ms <= now_ms and notice.flag not in desk.engaged]
    for notice in due:
        if notice.said in AMENDMENTS:
            return _amend(desk, notice, traits)
    slots = free_slots(desk.disturbed_at, notify, now_ms=now_ms)
    if not slots:
        return None
    ready: list[tuple[Notice, Address]] = []
    for notice in _in_order(due):
        usable = _addresses(desk, notice, traits)
        if not usable:
            return Drop([notice.id], NO_ADDRESS, is_moot=False)
        open_ = [address for address in usable if not _is_held(desk, address, now_ms)]
        if open_:
            ready.append((notice, open_[0]))
    return _bundle(ready, slots, fits) if ready else None


def _bundle(ready: Sequence[tuple[Notice, Address]], slots: int, fits: Fits) -> Send:
    """The first one by itself, while there are slots enough for all; else as many as one message carries."""
    first, address = ready[0]
    if first.said in ALONE or len(ready) <= slots:
        return Send([first], address)
    together = [notice for notice, where in ready if where.id == address.id and notice.said not in ALONE]
    return Send(together[: max(1, fits(together, address.channel))], address)


def _amend(desk: Desk, notice: Notice, traits: Mapping[str, Traits]) -> Step:
    for told in desk.told:
        target = desk.targets.get(told.message or 0)
        if told.flag != notice.flag or target is None:
            continue
        for address in _addresses(desk, notice, traits):
            if address.id == target[0] and traits[address.channel].can_amend:
                return Send([notice], address, amends=target[1])
    return Drop([notice.id], NOT_AMENDABLE)


def _addresses(desk: Desk, notice: Notice, traits: Mapping[str, Traits]) -> list[Address]:
    """Where *notice* may go, the best first."""
    usable = [
        address
        for address in desk.person.addresses
        if address.is_usable and address.channel in traits and address.id not in notice.shunned
    ]
    return sorted(usable, key=lambda address: address.channel != notice.by)


def _in_order(due: Sequence[Notice]) -> list[Notice]:
    """The most urgent flags first; within a flag as it was decided."""
    rank: dict[str, tuple[str, int]] = {}
    for notice in due:
        group = notice.flag or notice.key
        severity, first = rank.get(group, (notice.severity, notice.id))
        rank[group] = min(severity, notice.severity), min(first, notice.id)
    return sorted(due, key=lambda notice: (rank[notice.flag or notice.key], notice.id))
