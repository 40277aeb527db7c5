"""A damaged file, a full disk: the machine starts, saves what it can, and says what it cannot."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract import codec
from contract.messages import Clock, Event, Happening, Record, Stored, Tap
from contract.ranges import Ranges
from contract.topics import DeviceId
from edge.outbox import Limits, NotKept, Outbox, OutboxUnavailable, open_outbox, salvage
from edge.outbox.room import Reserve

LIMITS = Limits(reserve_bytes=0)
PAGE = 4096


def fill(path: Path, tap, stamp, number: int) -> str:
    """Keep *number* taps and close; the outbox id."""
    outbox = open_outbox(path, LIMITS, stamp)
    for one in range(number):
        outbox.keep(tap(f"k1.{one:05d}"))
    name = outbox.position().outbox
    outbox.close()
    return name


def waiting(outbox: Outbox, stamp) -> list[tuple[str, Record]]:
    """Every waiting record with the outbox id it goes under."""
    found = []
    for row in outbox.oldest(10_000, boot=stamp.boot, patient_after=10**9):
        (text,) = outbox.freeze(row.outbox, [row.seq])
        found.append((row.outbox, codec.decode_record(text).record))
    return found


def events(outbox: Outbox, stamp) -> dict[str, Event]:
    return {record.event: record for _, record in waiting(outbox, stamp) if isinstance(record, Event)}


def settle_all(outbox: Outbox, stamp, limit: int = 10_000) -> None:
    position = outbox.position()
    seqs = [row.seq for row in outbox.oldest(limit, boot=stamp.boot, patient_after=10**9)]
    texts = dict(zip(sorted(seqs), outbox.freeze(position.outbox, seqs), strict=True))
    digests = {seq: codec.digest(text) for seq, text in texts.items()}
    covered = Ranges.single(texts)
    answer = Stored(
        device=DeviceId("DMG-01"), outbox=position.outbox, at=stamp.at, upto=covered.prefix, digests=digests,
        beyond=covered.beyond,
    )  # fmt: skip
    outbox.settle(answer, stamp)


def test_a_file_that_is_no_database_is_set_aside_and_the_machine_starts(path, tap, stamp) -> None:
    path.write_bytes(b"nothing of the kind" * 1000)
    outbox = open_outbox(path, LIMITS, stamp)
    assert outbox.keep(tap()).seq > 0
    assert "outbox_set_aside" in events(outbox, stamp)
    assert [aside.name for aside in salvage.set_aside_before(path)] == ["outbox.db.broken-1"]
    outbox.close()


def test_readable_rows_of_a_torn_file_are_sent_under_their_old_name(path, tap, stamp) -> None:
    old = fill(path, tap, stamp, 400)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // PAGE // 2 * PAGE)
        file.write(b"\xff" * PAGE)
    outbox = open_outbox(path, LIMITS, stamp)
    assert outbox.position().outbox != old
    saved = [record for name, record in waiting(outbox, stamp) if name == old and isinstance(record, Tap)]
    assert len(saved) >= 300
    assert events(outbox, stamp)[Happening.OUTBOX_CLOSED].closed().outbox == old
    assert outbox.confirmed(old) < min(record.seq for record in saved)
    outbox.close()


def test_each_torn_page_costs_only_what_lies_on_it(path, tap, stamp) -> None:
    fill(path, tap, stamp, 400)
    content = bytearray(path.read_bytes())
    leaves = [
        page
        for page in range(len(content) // PAGE)
        if content[page * PAGE] == 13 and b"k1.0" in content[page * PAGE : (page + 1) * PAGE]
    ]
    for page in leaves[10], leaves[-10]:
        content[page * PAGE : (page + 1) * PAGE] = os.urandom(PAGE)
    path.write_bytes(content)
    saved = salvage.read(salvage.set_aside(path)).rows
    assert len(saved) > 400 - 2 * PAGE // 150


def test_a_wreck_is_read_once(path, tap, stamp) -> None:
    fill(path, tap, stamp, 3)
    salvage.set_aside(path)
    for _ in range(2):
        outbox = open_outbox(path, LIMITS, stamp)
        taps = [record for _, record in waiting(outbox, stamp) if isinstance(record, Tap)]
        assert len(taps) == 3
        outbox.close()


def test_rows_in_the_write_ahead_log_are_saved_with_the_file(path, tap, stamp) -> None:
    outbox = open_outbox(path, LIMITS, stamp)
    outbox.keep(tap())
    aside = salvage.set_aside(path)  # as after a crash: nothing was merged into the file yet
    assert len(salvage.read(aside).rows) == 1
    outbox.close()


def test_a_row_whose_text_was_altered_is_not_believed(path, tap, stamp) -> None:
    fill(path, tap, stamp, 3)
    damaged = path.read_bytes().replace(b'"k1.00001"', b'"k1.66666"')
    path.write_bytes(damaged)
    aside = salvage.set_aside(path)
    assert [row.seq for row in salvage.read(aside).rows] == [1, 3]


def test_the_reserve_is_there_until_it_is_released(tmp_path) -> None:
    reserve = Reserve(tmp_path / "reserve", 8192)
    assert reserve.lay_up()
    assert (tmp_path / "reserve").stat().st_size == 8192
    assert reserve.release()
    assert not reserve.release()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root: run as root, or in `unshare -Urm`")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def stuff(folder: Path) -> Path:
    """Fill the disk to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    os.write(file.fileno(), b"\0" * size)
            except OSError:
                continue
    return ballast


@pytest.mark.integration
def test_on_a_full_disk_confirmed_rows_make_room_and_the_rest_is_refused_and_reported(small_disk, tap, stamp) -> None:
    outbox = open_outbox(small_disk / "outbox.db", Limits(reserve_bytes=1024 * 1024), stamp)
    for number in range(300):
        outbox.keep(tap(f"k1.old{number}"))
    settle_all(outbox, stamp)
    ballast = stuff(small_disk)
    shown, refused = 0, 0
    for number in range(4000):
        try:
            outbox.keep(tap(f"k1.new{number}" + "x" * 100))
            shown += 1
        except NotKept:
            refused += 1
            if refused == 3:
                break
    assert refused == 3, "the disk never filled up"
    assert shown > 100, "neither the reserve nor the confirmed rows made room"
    assert outbox.refused == 3
    assert not outbox.can_keep()
    ballast.unlink()
    outbox.keep(tap("k1.after"))
    assert events(outbox, stamp)[Happening.TAPS_REFUSED].detail["count"] == 3
    taps = [record for _, record in waiting(outbox, stamp) if isinstance(record, Tap)]
    assert len(taps) == shown + 1
    outbox.close()


@pytest.mark.integration
def test_the_machine_starts_on_a_full_disk(small_disk, tap, stamp) -> None:
    path = small_disk / "outbox.db"
    first = open_outbox(path, Limits(reserve_bytes=1024 * 1024), stamp)
    first.keep(tap())
    first.close()
    ballast = stuff(small_disk)
    again = open_outbox(path, Limits(reserve_bytes=1024 * 1024), stamp)
    assert again.begin_session() == 1
    again.keep(tap("k1.second"))
    assert again.backlog()[0] == 2
    again.close()
    ballast.unlink()


@pytest.mark.integration
def test_taps_cannot_use_up_the_reserve_that_answers_need(small_disk, tap, stamp) -> None:
    outbox = open_outbox(small_disk / "outbox.db", Limits(reserve_bytes=1024 * 1024), stamp)
    with pytest.raises(NotKept):
        while True:
            outbox.keep(tap("k1.kept" + "x" * 100))
    stuff(small_disk)
    while outbox.backlog()[0]:
        settle_all(outbox, stamp, limit=100)
    outbox.keep(tap("k1.after"))
    outbox.close()


@pytest.mark.integration
def test_a_disk_without_room_for_any_outbox_is_said_to_be_so(small_disk, stamp) -> None:
    stuff(small_disk)
    with pytest.raises(OutboxUnavailable, match="make room"):
        open_outbox(small_disk / "outbox.db", Limits(), stamp)


@pytest.mark.integration
def test_on_a_full_disk_rows_of_a_wrong_clock_can_still_be_sent(small_disk, tap, stamp) -> None:
    """Before it is sent such a row is written to once more: refused that, it would never be answered and never go."""
    outbox = open_outbox(small_disk / "outbox.db", Limits(reserve_bytes=1024 * 1024), stamp)
    with pytest.raises(NotKept):
        while True:
            outbox.keep(tap("k1.kept" + "x" * 100, clock=Clock.UNTRUSTED))
    stuff(small_disk)
    for row in outbox.oldest(300, boot="", patient_after=0):
        assert outbox.freeze(row.outbox, [row.seq])
    outbox.close()
