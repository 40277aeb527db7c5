"""A journal pours into another history, and the days it touches are rolled up again."""

from cloud.history import Access, open_history
from cloud.ingest import journals
from cloud.ingest.store import Store


async def test_a_journal_pours_into_another_history(small_world, tmp_path):
    url = f"journal:{tmp_path}/journal"
    async with open_history(url, Access("one"), now=small_world.time) as journal:
        store = Store(small_world.records, journal, opener=small_world.opener, now=small_world.time)
        tap, boot = small_world.machine.tap(1), small_world.machine.event(2, "boot")
        await store.take([small_world.machine.batch(tap, boot)])
    small_world.run("DELETE FROM dirty_days")
    loaded = await journals.load(tmp_path / "journal", small_world.records, small_world.history, now=small_world.time)
    assert (loaded.points, loaded.refused, loaded.illegible, loaded.days) == (2, 0, 0, 1)
    assert {point.measurement for point in small_world.history.points.values()} == {"tap", "machine_event"}
    assert [(estate, str(day)) for estate, day in small_world.contents()["dirty"]] == [("DMG", "2026-03-03")]


async def test_what_is_refused_while_pouring_is_a_dead_letter(small_world, tmp_path):
    async with open_history(f"journal:{tmp_path}/journal", Access("one"), now=small_world.time) as journal:
        store = Store(small_world.records, journal, opener=small_world.opener, now=small_world.time)
        await store.take([small_world.machine.batch(small_world.machine.tap(1))])
    small_world.history.refuse = ("tap",)
    loaded = await journals.load(tmp_path / "journal", small_world.records, small_world.history, now=small_world.time)
    assert (loaded.points, loaded.refused) == (0, 1)
    assert small_world.rows("SELECT reason FROM dead_letters") == [("refused_by_history",)]
