"""The same directory says the same whichever database holds what was made of it."""

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from cloud.alerts import absence, cards, evaluating, outages, telling
from cloud.alerts.channels import open_channel
from cloud.alerts.evaluating import Circumstances
from cloud.alerts.flags.changes import Change
from cloud.alerts.kinds import Kind
from cloud.alerts.sending import Post, send_one
from cloud.days import DAY, HOUR
from cloud.records import Records, migrate, open_records, people
from cloud.records.people import Address, Duty, Person, Role
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


TELLING = Circumstances((outages.judge, absence.judge, cards.judge), telling.tell, is_replay=True)


def letters(folder: Path, records: Records) -> str:
    """Every message that goes out over *folder*, judged at midnight and at noon, read by one person of each role."""
    found, out = directory.open_directory(folder), io.StringIO()
    post = Post(records, {"console": open_channel("console:", out=out)}, "engines")
    roster = [
        Person(role.value, role.value, frozenset({Duty(role)}), (Address("console", role.value),)) for role in Role
    ]
    records.write(lambda connection: people.replace_all(connection, roster))

    def evaluate(records: Records, now_ms: int) -> Sequence[Change]:
        changes = evaluating.evaluate(records, found.policies, now_ms=now_ms, circumstances=TELLING)
        records.write(lambda connection: telling.write_digests(connection, now_ms=now_ms))
        while send_one(post, lambda: now_ms):
            pass
        return changes

    async def run() -> str:
        course = Course(records, Ingest(records, found.registry), evaluate)
        async for _ in courses.changes(found, [course], instants.between(found.span, 12 * HOUR)):
            pass
        return out.getvalue()

    return asyncio.run(run())


@pytest.mark.integration
def test_messages_are_the_same_on_both_engines(records: Records, migrated_postgres_url: str) -> None:
    with open_records(migrated_postgres_url) as served:
        said = letters(SAMPLES / "small", served)
        assert said == letters(SAMPLES / "small", records)
    assert "perlu klarifikasi" in said and "[Hadir]" in said
