"""One evaluation: facts read in one transaction, judged, and what changes written in another; worker and replay share it.

Nothing is written when nothing changes; of two workers one writes, the other finds it done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from cloud.alerts.findings import Findings, Standing
from cloud.alerts.flags.changes import Change
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policies
from cloud.records import Connection, Records


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
    """Shadow mode, quiet hours and silences do not act; ingest counts as up throughout."""


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

    Raises `RecordsUnavailable`; then nothing, or all of it, was written, and the next evaluation finds out.
    """
    raise NotImplementedError
