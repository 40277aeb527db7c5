"""The course of a replay: facts up to an instant, then what changes at it; for one policy, or two beside each other.

Each policy has records of its own, because each has flags of its own; the facts are read once.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cloud.alerts.flags.changes import Change
from cloud.records import Records, migrate, open_records
from cloud.replay.directory import Arrival, Directory
from cloud.replay.ingesting import Ingest

Evaluate: TypeAlias = Callable[[Records, int], Sequence[Change]]
"""What changes in these records at this instant (ms)."""


@dataclass(frozen=True, slots=True)
class Course:
    """Records that fill up with facts, and the flags that a policy makes of them."""

    records: Records
    ingest: Ingest
    evaluate: Evaluate


async def changes(
    directory: Directory, courses: Sequence[Course], instants: Iterable[int]
) -> AsyncIterator[tuple[int, list[Sequence[Change]]]]:
    """At each of *instants*, what changes in each of *courses*."""
    arrivals = directory.arrivals()
    following = next(arrivals, None)
    for now_ms in instants:
        for course in courses:
            course.ingest.learn(now_ms)
        while following is not None and following.arrived_ms <= now_ms:
            await _take(courses, following)
            following = next(arrivals, None)
        for course in courses:
            await course.ingest.settle(now_ms)
        yield now_ms, [course.evaluate(course.records, now_ms) for course in courses]


async def _take(courses: Sequence[Course], arrival: Arrival) -> None:
    for course in courses:
        await course.ingest.take(arrival)


@contextmanager
def on_disk(directory: Directory, evaluators: Sequence[Evaluate]) -> Iterator[list[Course]]:
    """A course for each of *evaluators*, in files that are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="hadir-replay-") as folder:
        courses: list[Course] = []
        try:
            for number, evaluate in enumerate(evaluators):
                records = open_records(f"sqlite:///{Path(folder) / f'{number}.db'}")
                migrate.upgrade_records(records)
                courses.append(Course(records, Ingest(records, directory.registry), evaluate))
            yield courses
        finally:
            for course in courses:
                course.records.close()
