"""The shell of the path rules: reads what they look at, asks each, says what was judged in full."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from cloud import days
from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.outages import path as path_rules
from cloud.alerts.outages import silence
from cloud.alerts.outages.returns import returned
from cloud.alerts.outages.situation import Listening, Machine, PathFacts, Situation
from cloud.alerts.policy import Policies, Policy
from cloud.records import Connection, heard, marks, standing
from cloud.records.heard import Heard
from cloud.records.registry import Installation
from contract import codec
from contract.codec import BadMessage
from contract.messages import Heartbeat
from contract.topics import DeviceId

Rule = Callable[[Situation], Iterable[Finding]]
PathRule = Callable[[Situation, PathFacts], Iterable[Finding]]

LIFE: Final[Mapping[Kind, Rule]] = {
    Kind.WIDE_OUTAGE: silence.wide_outage,
    Kind.ESTATE_OFFLINE: silence.estate_offline,
    Kind.DEVICE_OFFLINE: silence.device_offline,
}
"""Rules about signs of life: while nobody listens they say what stood, and judge nothing in full."""
LIVE: Final[Mapping[Kind, PathRule]] = {
    Kind.INGEST_DOWN: path_rules.ingest_down,
    Kind.CRL_EXPIRING: path_rules.crl_expiring,
    Kind.NOTIFY_FAILING: path_rules.notify_failing,
}
"""Rules about the living system: none of them speaks in a replay."""


def judge(
    connection: Connection,
    policies: Policies,
    /,
    *,
    now_ms: int,
    standing: Standing,
    path: PathFacts | None = None,
    kinds: Collection[Kind] | None = None,
) -> Findings:
    """What the path rules find at *now_ms*; of *kinds* alone, if given. *path* None = a replay: ingest counts as up."""
    situation = look(connection, policies, now_ms=now_ms, standing=standing, is_live=path is not None)
    asked = {kind for kind in (*LIFE, *LIVE) if kinds is None or kind in kinds}
    found = [finding for kind in LIFE if kind in asked for finding in LIFE[kind](situation)]
    if path is not None:
        found += [finding for kind in LIVE if kind in asked for finding in LIVE[kind](situation, path)]
    return Findings(
        tuple(found),
        tuple(each for each in silence.removed(situation) if each.kind in asked),
        frozenset((kind, "") for kind in _judged(situation, path) if kind in asked),
        returned(situation),
    )


def _judged(situation: Situation, path: PathFacts | None) -> Iterator[Kind]:
    """The kinds of which a subject without a finding has recovered."""
    if situation.is_listening:
        yield from LIFE
    if path is not None:
        yield Kind.INGEST_DOWN
        yield Kind.NOTIFY_FAILING
        if path.crl_expires_ms is not None:
            yield Kind.CRL_EXPIRING


# ---- reading ---------------------------------------------------------------------------------------------------------


def look(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing, is_live: bool) -> Situation:
    """The situation at *now_ms*, as SQL shows it."""
    machines = tuple(_machines(connection, now_ms))
    since_ms, until_ms = (marks.read(connection, name) for name in (marks.LISTENING_SINCE, marks.LISTENING_UNTIL))
    return Situation(
        now_ms,
        machines,
        Listening(since_ms, until_ms if is_live else now_ms),
        _policies(policies, {machine.estate for machine in machines}, now_ms),
        standing,
    )


def _policies(policies: Policies, estates: Iterable[str], now_ms: int) -> dict[str, Policy]:
    today = days.day_of(now_ms)
    return {estate: policies.at(today, estate) for estate in ("", *estates)}


def _machines(connection: Connection, now_ms: int) -> Iterator[Machine]:
    life = {each.device: each for each in heard.all_heard(connection)}
    for place in standing.installed_at(connection, now_ms):
        yield _machine(place, life.get(place.device))


def _machine(place: Installation, life: Heard | None) -> Machine:
    if life is None:
        return Machine(place.device, place.estate, place.installed_ms)
    return Machine(
        place.device,
        place.estate,
        place.installed_ms,
        heard_ms=life.arrived_ms or None,
        heartbeat=_heartbeat(place.device, life.heartbeat),
        gone_ms=None if life.online else life.status_ms,
    )


def _heartbeat(device: str, text: str | None) -> Heartbeat | None:
    if text is None:
        return None
    try:
        return codec.decode(text.encode(), Heartbeat, device=DeviceId(device))
    except BadMessage:
        return None  # kept by another version of this program
