"""Which rules judge a replay: those of the live system, of the groups that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cloud.alerts import evaluating, outages
from cloud.alerts.evaluating import Circumstances, Judge
from cloud.alerts.flags.changes import Change
from cloud.alerts.kinds import NATURE, Group, Kind
from cloud.alerts.outages import topology
from cloud.alerts.policy import Policies
from cloud.records import Records
from cloud.replay.courses import Evaluate

JUDGES: Final[Mapping[Judge, frozenset[Group]]] = {outages.judge: frozenset({Group.PATH})}
"""Each with the groups of kinds it finds."""


def evaluator(policies: Policies, kinds: frozenset[Kind]) -> Evaluate:
    """Judges by *policies*, with every rule that has to do with *kinds*: those that find them or explain them."""
    explaining = {above for kind in kinds for above in topology.ABOVE.get(kind, ())}
    wanted = {NATURE[kind].group for kind in kinds | explaining}
    judges = tuple(judge for judge, groups in JUDGES.items() if groups & wanted)
    circumstances = Circumstances(judges, is_replay=True)

    def evaluate(records: Records, now_ms: int) -> Sequence[Change]:
        return evaluating.evaluate(records, policies, now_ms=now_ms, circumstances=circumstances)

    return evaluate
