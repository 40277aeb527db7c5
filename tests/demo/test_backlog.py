"""The outbox that a machine brings to the show."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from contract.cards import Keyring, OpeningKey, SealedCard
from contract.messages import Tap
from demo import backlog, city, past, residents
from edge.outbox import open_beside

START = datetime(2026, 11, 17, 1, tzinfo=UTC)
SITES = (city.Site("DMG", "Pesakih", -6.1, 106.7, 640),)


def test_it_holds_every_record_unsent_under_its_own_numbers(tmp_path: Path) -> None:
    town = city.build(SITES, seed=1, machines=1)
    plan = residents.plan(town, go_live=date(2026, 11, 3), periods=range(1), seed=1)
    (whole,) = past.lives(town, plan, until=START, seed=1, length=timedelta(weeks=2))
    _, kept = past.parted(whole, past.milliseconds(START - timedelta(days=6)))
    key = OpeningKey.generate("k1")
    taps = backlog.fill(tmp_path / "outbox.db", kept, key.public())
    assert taps and [tap.at_ms for tap in taps] == [entry.at_ms for entry in kept.entries if entry.uid is not None]
    outbox = open_beside(tmp_path / "outbox.db", backlog.LIMITS)
    waiting = outbox.oldest(10_000, boot="another", patient_after=0)
    assert [row.seq for row in waiting] == list(range(1, len(kept.entries) + 2))
    assert outbox.confirmed(waiting[0].outbox) == 0
    outbox.close()
    found = [record for record in past.records(kept, key.public()) if isinstance(record, Tap)]
    ring = Keyring({"k1": key})
    assert [ring.open(SealedCard.parse(tap.card), kept.device) for tap in found] == [tap.uid for tap in taps]
