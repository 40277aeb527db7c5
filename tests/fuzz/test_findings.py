"""What fuzzing found in outboxes; what it found in the codec stands in `tests/contract/test_codec.py`."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.messages import Clock, Tap
from edge.dating import Stamp
from edge.outbox import Limits, Outbox, open_outbox

BOOT = "00000001-0000-4000-8000-000000000000"
STAMP = Stamp(1_800_000_000_000, 1000, BOOT, Clock.TRUSTED)


def opened(path: Path) -> Outbox:
    return open_outbox(path, Limits(reserve_bytes=0), STAMP)


def keep(outbox: Outbox, number: int) -> None:
    outbox.keep(Tap(seq=1, at=STAMP.at, mono=number, boot=BOOT, clock=Clock.TRUSTED, card=f"k1.card{number}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    outbox = opened(tmp_path / "outbox.db")
    for number in range(30):
        keep(outbox, number)
    outbox.close()
    return tmp_path / "outbox.db"


def altered(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def alter(image: bytes) -> bytes:
        assert old in image and len(old) == len(new)
        return image.replace(old, new, 1)

    return alter


def with_another_format(image: bytes) -> bytes:
    return image[:47] + b"\x09" + image[48:]


def with_a_foreign_outbox_in_use(image: bytes) -> bytes:
    at = image.index(b"outbox", image.index(b"note") + 1_000)
    start = at + len("outbox")
    return image[:start] + b"ffffffff" + image[start + 8 :]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(with_another_format, id="a format byte that SQLite does not know"),
        pytest.param(altered(b"CREATE TABLE row", b"CREATE TABLE \xfc\xfc\xfc"), id="tables that are no text"),
        pytest.param(
            altered(b"DEFAULT 'waiting'", b"DEFAULT 'wasting'"), id="a default that keeps taps from being sent"
        ),
        pytest.param(altered(b"k1.card17", b"k1.card\xff7"), id="a row that is no text"),
        pytest.param(altered(b"k1.card17", b"k1.card77"), id="a row that is not what was written"),
        pytest.param(with_a_foreign_outbox_in_use, id="an outbox in use that nobody has"),
    ],
)
def test_a_damaged_outbox_that_passes_for_sound_is_set_aside_and_the_next_tap_is_sent(
    path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path.write_bytes(damage(path.read_bytes()))
    outbox = opened(path)
    keep(outbox, 99)
    assert list(path.parent.glob("outbox.db.broken-*"))
    waiting = outbox.oldest(100, boot=BOOT, patient_after=2**40)
    assert waiting and all(outbox.freeze(row.outbox, [row.seq]) for row in waiting)
    outbox.close()


def test_one_altered_row_costs_no_other(path: Path) -> None:
    path.write_bytes(altered(b"k1.card17", b"k1.card77")(path.read_bytes()))
    outbox = opened(path)
    bodies = [outbox.freeze(row.outbox, [row.seq])[0] for row in outbox.oldest(100, boot=BOOT, patient_after=2**40)]
    assert {number for number in range(30) if any(f'"k1.card{number}"' in body for body in bodies)} == {*range(30)} - {
        17
    }
    outbox.close()


def test_a_row_that_its_index_lacks_is_sent_all_the_same(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA writable_schema = ON")
        made = db.execute("SELECT sql FROM sqlite_master WHERE name = 'row_waiting'").fetchone()[0]
        db.execute(
            "UPDATE sqlite_master SET sql = replace(sql, '''waiting''', '''nothing''') WHERE name = 'row_waiting'"
        )
    db.close()
    with sqlite3.connect(path) as db:  # now the index holds nothing of what comes
        db.execute("REINDEX row_waiting")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'row_waiting'", (made,))
    db.close()
    outbox = opened(path)
    taps = [row for row in outbox.oldest(100, boot=BOOT, patient_after=2**40) if row.seq <= 30]
    assert len(taps) >= 30
    outbox.close()


def test_a_wreck_with_an_outbox_id_that_the_wire_refuses_does_not_keep_the_machine_from_starting(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO stream (outbox, last_seq) VALUES ('not-an-id', 7)")
        db.execute("INSERT INTO stream (outbox, last_seq) VALUES (?, ?)", (BOOT, 2**60))
    db.close()
    image = path.read_bytes()
    path.write_bytes(with_another_format(image))
    (path.parent / "outbox.db.broken-1").write_bytes(image)
    outbox = opened(path)
    keep(outbox, 99)
    assert len(outbox.oldest(100, boot=BOOT, patient_after=2**40)) > 30
    outbox.close()
