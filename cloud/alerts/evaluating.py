"""One evaluation: facts are read in one transaction, judged, and what changes is written in another; live and replayed.

Nothing is written when nothing changes. The writing transaction holds the lock of the flags and first looks whether the
chain of events is where it was when the facts were read: if another wrote meanwhile, facts are read and judged again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from cloud.alerts import findings, stored, writing
from cloud.alerts.findings import Findings, Standing
from cloud.alerts.flags import causes, chain, hushes, stepping
from cloud.alerts.flags.changes import Change
from cloud.alerts.flags.flag import Flag, Outcome
from cloud.alerts.flags.hushes import Quietly
from cloud.alerts.flags.stepping import Moment, Step
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies, Policy
from cloud.days import DAY, MINUTE, day_of, starts
from cloud.records import Connection, Records, registry, silences
from cloud.records import flags as flag_rows

TRIES: Final = 8
"""So often facts are read again because another wrote meanwhile."""
_EVERY_KIND: Final = frozenset(Kind)


class TooBusy(Exception):
    """Others write flags all the time, so that this evaluation never could; the next one will."""


class Judge(Protocol):
    """A group of rules: what it finds at *now_ms*, in the facts that *connection* shows."""

    def __call__(
        self, connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing
    ) -> Findings: ...


class Tell(Protocol):
    """Who writes what is to be told, in the transaction of the changes."""

    def __call__(
        self, connection: Connection, policies: Policies, /, *, now_ms: int, changes: Sequence[Change]
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds an evaluation: the live system, or a replay."""

    judges: tuple[Judge, ...] = ()
    tell: Tell | None = None
    """None = nobody is told anything."""
    is_replay: bool = False
    """Shadow mode, quiet hours and silences do not act."""


REPLAY: Final = Circumstances(is_replay=True)


def evaluate(
    records: Records,
    policies: Policies,
    *,
    now_ms: int,
    kinds: frozenset[Kind] | None = None,
    circumstances: Circumstances = REPLAY,
) -> list[Change]:
    """Judge *kinds* (None = all) at *now_ms*, write what changes, and return it in the order of kind and subject.

    Raises `RecordsUnavailable` (nothing, or all of it, was written; the next evaluation finds out) and `TooBusy`.
    """
    evaluation = _Evaluation(policies, now_ms, kinds or _EVERY_KIND, circumstances)
    for _ in range(TRIES):
        read = records.read(evaluation.judge)
        if not read.steps:
            return []
        changes = records.write(partial(evaluation.write, read=read))
        if changes is not None:
            return [each for each in changes if each.what.is_output]
    raise TooBusy(
        f"flags were written by others {TRIES} times in a row while facts were judged; the next one tries again"
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What one state of the database asks for, and where the chain of events ended in it."""

    head: chain.Link
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True)
class _Evaluation:
    policies: Policies
    now_ms: int
    kinds: frozenset[Kind]
    circumstances: Circumstances

    # ---- reading -----------------------------------------------------------------------------------------------------

    def judge(self, connection: Connection) -> _Read:
        """The steps that the facts of this transaction ask for."""
        flags = self._flags(connection)
        standing = findings.standing(flag.stands() for flag in flags if flag.condition.is_alive)
        found = Findings()
        for judge in self.circumstances.judges:
            found += judge(connection, self.policies, now_ms=self.now_ms, standing=standing)
        moment = Moment(self.now_ms, self._quietly(connection), self.circumstances.is_replay, self.kinds)
        return _Read(chain.Link(*flag_rows.head(connection)), stepping.step(flags, found, moment))

    def _flags(self, connection: Connection) -> list[Flag]:
        """The flags that have not ended, after the roots that ended so lately that they are not settled yet."""
        lately_ms = self.now_ms - self._policy().flap.settle_min * MINUTE - causes.FIRM_MS
        over = flag_rows.ended_since(connection, lately_ms, kinds=causes.ROOTS)
        return [stored.flag(row) for row in [*over, *flag_rows.alive(connection)]]

    def _quietly(self, connection: Connection) -> Quietly:
        if self.circumstances.is_replay:
            return Quietly(self.policies)
        off_ms = self.now_ms - self._policy().after.verified_off_d * DAY
        return Quietly(
            self.policies,
            tuple(stored.silence(row) for row in silences.in_effect(connection, self.now_ms)),
            {
                each.estate: hushes.first_periods_end(self.policies, each.estate, starts(each.go_live))
                for each in registry.all_estates(connection)
            },
            flag_rows.decided_since(connection, off_ms, outcome=Outcome.INHABITED),
        )

    def _policy(self) -> Policy:
        return self.policies.at(day_of(self.now_ms))

    # ---- writing -----------------------------------------------------------------------------------------------------

    def write(self, connection: Connection, read: _Read) -> list[Change] | None:
        """Write the steps, their events and what is told of them; None if another wrote since they were read."""
        flag_rows.lock(connection)
        if chain.Link(*flag_rows.head(connection)) != read.head:
            return None
        changes = writing.write(connection, read.steps, now_ms=self.now_ms)
        if self.circumstances.tell is not None:
            self.circumstances.tell(connection, self.policies, now_ms=self.now_ms, changes=changes)
        return changes
