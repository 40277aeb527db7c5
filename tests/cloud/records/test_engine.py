import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text

from cloud.records import BadData, Records, RecordsUnavailable, marks, open_records
from cloud.records.schema import cards, device_hours

SECRET = "5ec4e7" * 10


def put(value: int) -> Callable[[Connection], None]:
    return lambda connection: marks.put(connection, "m", value)


def value(connection: Connection) -> int:
    return marks.read(connection, "m")


def test_what_was_written_is_read(records: Records) -> None:
    records.write(put(3))
    assert records.read(value) == 3


def test_a_transaction_that_fails_leaves_nothing(records: Records) -> None:
    def half(connection: Connection) -> None:
        put(3)(connection)
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        records.write(half)
    assert records.read(value) == 0


def test_a_read_can_change_nothing_and_the_next_write_can(records: Records) -> None:
    with pytest.raises(RecordsUnavailable):
        records.read(put(3))
    records.write(put(4))
    assert records.read(value) == 4


def test_a_read_sees_one_state_throughout(records: Records) -> None:
    def twice(connection: Connection) -> tuple[int, int]:
        before = value(connection)
        records.write(put(9))
        return before, value(connection)

    assert records.read(twice) == (0, 0)


def test_counting_together_loses_no_update(records: Records) -> None:
    def count(connection: Connection) -> None:
        held = connection.execute(text("SELECT value FROM marks WHERE name = 'm'" + locking(records))).scalar_one()
        marks.put(connection, "m", held + 1)

    records.write(put(0))
    threads = [threading.Thread(target=lambda: [records.write(count) for _ in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records.read(value) == 40


def test_sqlite_lets_a_writer_begin_only_when_the_one_before_is_done(tmp_path: object) -> None:
    order: list[str] = []
    with open_records(f"sqlite:///{tmp_path}/x.db") as records:
        second = threading.Thread(target=records.write, args=[lambda _: order.append("second began")])

        def first(connection: Connection) -> None:
            second.start()
            second.join(0.3)
            order.append("first done")

        records.write(first)
        second.join()
    assert order == ["first done", "second began"]


def locking(records: Records) -> str:
    return " FOR UPDATE" if records.dialect == "postgresql" else ""


def test_a_deadlock_is_repeated_until_both_are_through(records: Records) -> None:
    both_hold_one = threading.Barrier(2, timeout=5)
    runs: list[str] = []

    def cross(first: str, second: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            runs.append(first)
            marks.put(connection, first, 1)
            if records.dialect == "postgresql" and runs.count(first) == 1:
                both_hold_one.wait()
            marks.put(connection, second, 1)

        return work

    threads = [threading.Thread(target=records.write, args=[cross(*pair)]) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records.read(lambda connection: marks.read(connection, "a") + marks.read(connection, "b")) == 2
    assert len(runs) == (3 if records.dialect == "postgresql" else 2)


def bad_values() -> list[Any]:
    return [
        pytest.param({"name": "x", "value": 2**63}, id="too large"),
        pytest.param({"name": "\ud800", "value": 1}, id="half a character"),
        pytest.param({"name": "taken", "value": 1}, id="taken key"),
        pytest.param({"name": None, "value": 1}, id="no key"),
    ]


@pytest.mark.parametrize("row", bad_values())
def test_values_that_can_never_be_stored_are_bad_data(records: Records, row: dict[str, object]) -> None:
    insert = text("INSERT INTO marks (name, value) VALUES (:name, :value)")
    records.write(lambda connection: marks.put(connection, "taken", 1))
    with pytest.raises(BadData):
        records.write(lambda connection: connection.execute(insert, row))


def test_a_reference_to_nothing_is_bad_data(records: Records) -> None:
    orphan = {"stream": 1, "seq": 1, "device": "DMG-01", "hour_ms": 0, "able_min": 1, "dated": True}
    with pytest.raises(BadData):
        records.write(lambda connection: connection.execute(device_hours.insert(), orphan))


def test_a_refused_card_is_not_quoted_anywhere(records: Records) -> None:
    row = {"pseudonym": SECRET, "role": "guest", "obliged": True, "valid_from": None, "known_from_ms": 0}
    with pytest.raises(BadData) as refused:
        records.write(lambda connection: connection.execute(cards.insert(), row))
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__cause__ is None, "the cause quotes the whole row, and a log would print it"


def test_sqlite_syncs_every_commit_and_checks_references(tmp_path: object) -> None:
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with open_records(f"sqlite:///{tmp_path}/x.db") as records:
        found = records.read(
            lambda connection: {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in pragmas}
        )
    assert found == pragmas


@pytest.mark.integration
def test_postgresql_commits_durably_whatever_the_server_is_set_to(postgres_url: str) -> None:
    hasty = f"ALTER DATABASE {postgres_url.rpartition('/')[2]} SET synchronous_commit = off"
    with open_records(postgres_url) as records:
        records.write(lambda c: c.execute(text(hasty)))
    with open_records(postgres_url) as records:
        assert records.read(lambda c: c.execute(text("SHOW synchronous_commit")).scalar_one()) == "on"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: object) -> None:
    with (
        open_records(f"sqlite:///{tmp_path}/none/x.db") as records,
        pytest.raises(RecordsUnavailable, match="cannot be used now"),
    ):
        records.read(value)


def test_a_server_that_is_not_there_is_a_sentence_without_its_password() -> None:
    url = "postgresql://hadir:hunter2@127.0.0.1:1/hadir"
    with open_records(url) as records, pytest.raises(RecordsUnavailable, match="is it running") as refused:
        records.read(value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "cannot be read"),
        ("records.db", "cannot be read"),
        ("mysql://x/y", "no database of the kind 'mysql'"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_an_address_that_cannot_serve_is_refused_at_once(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        open_records(url)
