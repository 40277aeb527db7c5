"""Which rules judge a replay: those of the live system, of the groups that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import partial

from cloud.alerts import absence, cards, evaluating, outages
from cloud.alerts.absence import Memory
from cloud.alerts.evaluating import Circumstances, Judge
from cloud.alerts.flags.changes import Change
from cloud.alerts.kinds import NATURE, Group, Kind
from cloud.alerts.outages import topology
from cloud.alerts.policy import Policies
from cloud.records import Records
from cloud.replay.courses import Evaluate


def evaluator(policies: Policies, kinds: Set[Kind]) -> Evaluate:
    """Judges by *policies*, with every rule that has to do with *kinds*: those that find them or explain them."""
    explaining = {above for kind in kinds for above in topology.ABOVE.get(kind, ())}
    groups = {NATURE[kind].group for kind in kinds | explaining}
    circumstances = Circumstances(tuple(_judges(groups)), is_replay=True)

    def evaluate(records: Records, now_ms: int) -> list[Change]:
        return evaluating.evaluate(records, policies, now_ms=now_ms, circumstances=circumstances)

    return evaluate


def _judges(groups: Set[Group]) -> Iterator[Judge]:
    if Group.PATH in groups:
        yield outages.judge
    if groups & {Group.REGISTRATION, Group.OCCUPANCY}:
        yield partial(absence.judge, memory=Memory())
    if Group.CARDS in groups:
        yield cards.judge
