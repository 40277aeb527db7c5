"""The shell of the card rules: reads what they look at, asks each, keeps for a while what was found before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from cloud import days
from cloud.alerts.cards import elsewhere, ended, proxy, travel, unknown
from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies, Policy
from cloud.records import Connection, card_facts, facts, registry, standing
from cloud.records.card_facts import Company
from cloud.records.facts import Window

EVERY_MS: Final[Mapping[Kind, int]] = {
    Kind.CARD_TWO_ESTATES: days.HOUR,
    Kind.REVOKED_CARD: days.HOUR,
    Kind.UNKNOWN_CARD: days.HOUR,
    Kind.FOREIGN_ESTATE: days.DAY,
    Kind.PROXY_PATTERN: 7 * days.DAY,
}
"""No kind needs judging more often than this."""
FRESH_MS: Final = 7 * days.DAY
"""Taps that arrived within this are looked at: longer than any worker is down, or any replay pauses."""
KEPT: Final = timedelta(days=30)
"""What one card did once stands for so long; then nothing is left to be explained."""
CROWD_MS: Final = days.DAY
"""An hour of unknown cards is told of for so long."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What each rule is given."""

    connection: Connection
    policies: Policies
    now_ms: int
    standing: Standing

    def policy(self, estate: str = "") -> Policy:
        """The policy in force."""
        return self.policies.at(days.day_of(self.now_ms), estate)


def judge(
    connection: Connection,
    policies: Policies,
    /,
    *,
    now_ms: int,
    standing: Standing,
    kinds: Collection[Kind] | None = None,
) -> Findings:
    """What the card rules find at *now_ms*; of *kinds* alone, if given."""
    look = _Look(connection, policies, now_ms, standing)
    asked = [kind for kind in EVERY_MS if kinds is None or kind in kinds]
    found = tuple(finding for kind in asked for finding in _RULES[kind](look))
    return Findings(found, complete=frozenset((kind, "") for kind in asked))


def _two_estates(look: _Look) -> Iterator[Finding]:
    places = {
        each.estate: (each.lat, each.lon)
        for each in registry.all_estates(look.connection)
        if each.lat is not None and each.lon is not None
    }
    pairs = card_facts.pairs(look.connection, arrived_after_ms=look.now_ms - FRESH_MS)
    yield from _kept(look, Kind.CARD_TWO_ESTATES, travel.two_estates(pairs, places, policy=look.policy()))


def _revoked(look: _Look) -> Iterator[Finding]:
    taps = card_facts.revoked(look.connection, arrived_after_ms=look.now_ms - FRESH_MS)
    yield from _kept(look, Kind.REVOKED_CARD, ended.revoked_card(taps, policy=look.policy()))


def _kept(look: _Look, kind: Kind, found: Iterable[Finding]) -> Iterator[Finding]:
    """*found*, and what stands and is not too long ago: it happened, though it does not happen again."""
    now = {finding.subject: finding for finding in found}
    yield from now.values()
    since = (days.day_of(look.now_ms) - KEPT).isoformat()
    for (each, subject), flag in look.standing.items():
        last = flag.evidence.get("last_day")
        if each is kind and subject not in now and isinstance(last, str) and last > since:
            yield Finding(kind, subject, flag.estate, flag.since_ms, flag.evidence)


def _unknown(look: _Look) -> Iterator[Finding]:
    policy = look.policy()
    since_ms = look.now_ms - CROWD_MS
    hours = card_facts.unknown_hours(look.connection, since_ms=since_ms, over=policy.cards.unknown_per_hour)
    if hours:
        estates = {each.device: each.estate for each in standing.installed_at(look.connection, look.now_ms)}
        lebaran = card_facts.lebaran(look.connection)
        yield from unknown.unknown_card(hours, estates, lebaran, policy=policy)


def _elsewhere(look: _Look) -> Iterator[Finding]:
    policy = look.policy()
    last = days.day_of(look.now_ms) - timedelta(days=1)
    within = Window(last - timedelta(days=elsewhere.PERIODS * policy.absence.period_days - 1), last)
    strays = card_facts.strays(look.connection, within=within, least=policy.cards.foreign_taps)
    could_tap = _readiness(look, within)
    yield from elsewhere.foreign_estate(strays, policy=look.policy, could_tap=could_tap)


def _readiness(look: _Look, within: Window) -> Callable[[str, date], bool]:
    @cache
    def home(estate: str) -> frozenset[date]:
        known, policy = facts.estate(look.connection, estate, able=within), look.policy(estate)
        if known is None:
            return frozenset()
        those = [days.estate_day(known, day, policy.absence.days()) for day in within.days]
        return frozenset(each.day for each in those if each.is_live and not each.in_calendar and not each.disturbed)

    return lambda estate, day: day in home(estate)


def _proxy(look: _Look) -> Iterator[Finding]:
    policy = look.policy()
    cards = policy.cards
    since_ms = proxy.since_ms(look.now_ms, period_days=policy.absence.period_days, policy=cards)
    company = Company(cards.proxy_cards, cards.proxy_within_s * 1000, cards.proxy_days)
    together = card_facts.never_alone(look.connection, company, since_ms=since_ms)
    yield from proxy.proxy_pattern(together, policy=cards)


_RULES: Final[Mapping[Kind, Callable[[_Look], Iterator[Finding]]]] = {
    Kind.CARD_TWO_ESTATES: _two_estates,
    Kind.REVOKED_CARD: _revoked,
    Kind.UNKNOWN_CARD: _unknown,
    Kind.FOREIGN_ESTATE: _elsewhere,
    Kind.PROXY_PATTERN: _proxy,
}
