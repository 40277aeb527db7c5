"""Cards of several units that come together on several days and never apart: somebody may carry them all. Pure.

Decides and tells nobody (shadow mode): a queue after prayers or before a bus looks alike, but comes apart some day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Cards
from cloud.records.card_facts import Together

SMALL = 12
"""Up to so many cards every choice of them is tried; of more, only neighbours in the queue of the first day."""

Group = Sequence[Together]


def proxy_pattern(cards: Iterable[Together], *, policy: Cards) -> Iterator[Finding]:
    """One finding for an estate, with how many groups of cards never come apart there."""
    found: dict[str, list[Group]] = {}
    for group in groups(cards, policy):
        found.setdefault(group[0].estate, []).append(group)
    for estate, those in sorted(found.items()):
        members = [card for group in those for card in group]
        evidence = {
            "groups": len(those),
            "cards": len({card.card for card in members}),
            "units": len({card.unit for card in members}),
            "days": max(len(group[0].taps) for group in those),
        }
        since_ms = min(at_ms for card in members for _, _, at_ms in card.taps)
        yield Finding(Kind.PROXY_PATTERN, estate, estate, since_ms, evidence)


def groups(cards: Iterable[Together], policy: Cards) -> Iterator[Group]:
    """The cards that never come apart: the same machines on the same days, within the time, of enough units."""
    alike: dict[tuple[tuple[str, int], ...], list[Together]] = {}
    for card in cards:
        alike.setdefault(tuple((device, day) for device, day, _ in card.taps), []).append(card)
    for places, those in alike.items():
        if len({day for _, day in places}) >= policy.proxy_days:
            for part in _parted(those, policy.proxy_within_s * 1000):
                yield from _never_apart(part, policy)


def _parted(cards: Group, within_ms: int) -> list[Group]:
    """*cards* split wherever on any day more than *within_ms* lie between one and the next."""
    parts: list[Group] = [cards]
    for number in range(len(cards[0].taps)):
        parts = [piece for part in parts for piece in _split(part, number, within_ms)]
    return (
        parts if len(parts) in (0, 1) or parts == [cards] else [p for part in parts for p in _parted(part, within_ms)]
    )


def _split(cards: Group, number: int, within_ms: int) -> Iterator[Group]:
    queue = sorted(cards, key=lambda card: card.taps[number][2])
    begin = 0
    for place in range(1, len(queue) + 1):
        is_end = place == len(queue)
        if is_end or queue[place].taps[number][2] - queue[place - 1].taps[number][2] > within_ms:
            yield queue[begin:place]
            begin = place


def _never_apart(cards: Group, policy: Cards) -> Iterator[Group]:
    """The cards of *cards* that are in some choice that is close on every day, as one group."""
    queue = sorted(cards, key=lambda card: card.taps[0][2])
    size = policy.proxy_cards
    choices = combinations(queue, size) if len(queue) <= SMALL else zip(*(queue[n:] for n in range(size)), strict=False)
    close = {card for choice in choices if _is_close(choice, policy) for card in choice}
    if close:
        yield [card for card in queue if card in close]


def _is_close(choice: Group, policy: Cards) -> bool:
    within_ms = policy.proxy_within_s * 1000
    is_of_many = len({card.unit for card in choice}) >= policy.proxy_cards
    return is_of_many and all(
        max(times) - min(times) <= within_ms
        for times in zip(*([at_ms for _, _, at_ms in card.taps] for card in choice), strict=True)
    )


def since_ms(now_ms: int, *, period_days: int, policy: Cards) -> int:
    """From when on cards are looked at."""
    return now_ms - policy.proxy_periods * period_days * days.DAY
