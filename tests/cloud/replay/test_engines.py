"""The same directory says the same whichever database holds what was made of it."""

import asyncio
from pathlib import Path

import pytest

from cloud.alerts.kinds import Kind
from cloud.days import DAY
from cloud.records import Records, migrate, open_records
from cloud.replay import courses, directory, instants, judging, outcome
from cloud.replay.courses import Course
from cloud.replay.ingesting import Ingest

SAMPLES = Path(__file__).parents[2] / "samples" / "replay"
EVERY = frozenset(Kind)


def lines(folder: Path, records: Records) -> list[str]:
    """All that is said of *folder*."""
    found = directory.open_directory(folder)
    course = Course(records, Ingest(records, found.registry), judging.evaluator(found.policies, EVERY))

    async def run() -> list[str]:
        said: list[str] = []
        async for _, changes in courses.changes(found, [course], instants.between(found.span, DAY)):
            said += [each.line() for each in outcome.told(changes, kinds=EVERY)]
        return said

    return asyncio.run(run())


@pytest.mark.integration
@pytest.mark.parametrize("name", ["small"])
def test_flags_are_the_same_on_both_engines(name: str, records: Records, postgres_url: str) -> None:
    migrate.upgrade(postgres_url)
    with open_records(postgres_url) as served:
        assert lines(SAMPLES / name, served) == lines(SAMPLES / name, records) != []
