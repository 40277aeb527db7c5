"""The shell of the path rules: reads what they look at, asks each, says what was judged in full."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from cloud.alerts.findings import Finding, Findings, Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.outages import condition, flapping, looking, records, silence
from cloud.alerts.outages import path as path_rules
from cloud.alerts.outages.returns import returned
from cloud.alerts.outages.situation import PathFacts, Situation
from cloud.alerts.policy import Policies
from cloud.records import Connection, path_facts

Rule = Callable[[Situation], Iterable[Finding]]
PathRule = Callable[[Situation, PathFacts], Iterable[Finding]]

LIFE: Final[Mapping[Kind, Rule]] = {
    Kind.WIDE_OUTAGE: silence.wide_outage,
    Kind.ESTATE_OFFLINE: silence.estate_offline,
    Kind.DEVICE_OFFLINE: silence.device_offline,
    Kind.DEVICE_FLAPPING: flapping.device_flapping,
    Kind.CLOCK_SKEW: condition.clock_skew,
    Kind.READER_FAULT: condition.reader_fault,
    Kind.STORAGE_LOW: condition.storage_low,
    Kind.QUEUE_STUCK: condition.queue_stuck,
}
"""Rules about signs of life: while nobody listens they say what stood, and judge nothing in full."""
LIVE: Final[Mapping[Kind, PathRule]] = {
    Kind.INGEST_DOWN: path_rules.ingest_down,
    Kind.CRL_EXPIRING: path_rules.crl_expiring,
    Kind.NOTIFY_FAILING: path_rules.notify_failing,
}
"""Rules about the living system: none of them speaks in a replay."""
STORED: Final = frozenset({Kind.WATERMARK_STUCK, Kind.DEVICE_UNKNOWN})
"""Rules about records."""
HOURLY: Final = frozenset({Kind.WATERMARK_STUCK})
"""Kinds that need no judging more often than once an hour, and cost more than the others."""


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
    asked = {kind for kind in (*LIFE, *LIVE, *STORED) if kinds is None or kind in kinds}
    situation = looking.look(connection, policies, now_ms=now_ms, standing=standing, is_live=path is not None)
    if path is not None:
        situation = replace(situation, slack_ms=path.slack_ms)
    if Kind.READER_FAULT in asked:
        situation = looking.with_reads(connection, situation)
    found = [finding for kind in LIFE if kind in asked for finding in LIFE[kind](situation)]
    if path is not None:
        found += [finding for kind in LIVE if kind in asked for finding in LIVE[kind](situation, path)]
    found += _of_records(connection, policies, situation, asked)
    return Findings(
        tuple(found),
        tuple(each for each in silence.removed(situation) if each.kind in asked),
        frozenset((kind, "") for kind in _judged(situation, path) if kind in asked),
        returned(situation),
    )


def _of_records(
    connection: Connection, policies: Policies, situation: Situation, asked: Collection[Kind]
) -> Iterator[Finding]:
    now_ms = situation.now_ms
    if Kind.WATERMARK_STUCK in asked:
        kept = list(path_facts.kept(connection))
        known = looking.policies_now(policies, {each.estate for each in kept}, now_ms)
        yield from records.watermark_stuck(kept, now_ms, policy=known.__getitem__)
    if Kind.DEVICE_UNKNOWN in asked:
        strangers = path_facts.strangers(connection, now_ms=now_ms)
        yield from records.device_unknown(strangers, now_ms, policy=situation.policy())


def _judged(situation: Situation, path: PathFacts | None) -> Iterator[Kind]:
    """The kinds of which a subject without a finding has recovered."""
    yield Kind.WATERMARK_STUCK
    if situation.is_listening:
        yield from LIFE
        yield Kind.DEVICE_UNKNOWN
    if path is not None:
        yield Kind.INGEST_DOWN
        yield Kind.NOTIFY_FAILING
        if path.crl_expires_ms is not None:
            yield Kind.CRL_EXPIRING
