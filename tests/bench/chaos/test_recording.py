"""A disk after a power cut holds what was synced, and any part of the rest."""

import random
from pathlib import Path

import pytest

from bench.chaos.recording import BadRecording, Disk, Fate, Shown, Sync, Truncate, Write, read

FILE, OTHER = Path("/d/a"), Path("/d/b")


def escaped(text: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text)


PATH = f"5<{escaped(b'/d/a')}>"


def image(*operations, fate: Fate = Fate.NONE, seed: int = 0) -> dict[Path, bytes]:
    disk = Disk()
    for number, one in enumerate(operations):
        disk.take(number, one)
    return disk.after_power_cut([FILE, OTHER], fate, random.Random(seed))


def test_calls_are_read_in_order() -> None:
    lines = [
        f'7 pwrite64({PATH}, "{escaped(b"abc")}", 3, 4096) = 3',
        f"7 fdatasync({PATH}) = 0",
        f"7 ftruncate({PATH}, 512) = 0",
        f'8 write(1<{escaped(b"pipe:[1]")}>, "{escaped(b"{}")}", 2) = 2',
        f'8 write(2<{escaped(b"/d/log")}>, "{escaped(b"words")}", 5) = 5',
    ]
    assert read(lines) == [Write(FILE, 4096, b"abc"), Sync(FILE, 1), Truncate(FILE, 512), Shown(b"{}")]


def test_a_sync_covers_only_what_was_written_before_it_began() -> None:
    lines = [
        f'7 pwrite64({PATH}, "{escaped(b"a")}", 1, 0) = 1',
        f"7 fdatasync({PATH} <unfinished ...>",
        f'8 pwrite64({PATH}, "{escaped(b"b")}", 1, 1 <unfinished ...>',
        "7 <... fdatasync resumed>) = 0",
        "8 <... pwrite64 resumed>) = 1",
    ]
    assert read(lines) == [Write(FILE, 0, b"a"), Write(FILE, 1, b"b"), Sync(FILE, 1)]
    assert image(*read(lines)) == {FILE: b"a"}


def test_a_write_that_was_not_recorded_whole_proves_nothing() -> None:
    with pytest.raises(BadRecording):
        read([f'7 pwrite64({PATH}, "{escaped(b"abc")}"..., 9, 0) = 9'])


def test_what_was_synced_survives_and_the_rest_may_be_gone() -> None:
    operations = (Write(FILE, 0, b"safe"), Sync(FILE, 1), Write(FILE, 0, b"lost"), Write(OTHER, 0, b"lost"))
    assert image(*operations) == {FILE: b"safe"}
    assert image(*operations, fate=Fate.ALL) == {FILE: b"lost", OTHER: b"lost"}


def test_writes_may_survive_out_of_order() -> None:
    operations = (Write(FILE, 0, b"a"), Sync(FILE, 1), Write(FILE, 1, b"b"), Write(FILE, 2, b"c"))
    found = {image(*operations, fate=Fate.SOME, seed=seed)[FILE] for seed in range(50)}
    assert found == {b"a", b"ab", b"a\0c", b"abc"}


def test_a_torn_write_survives_by_sectors() -> None:
    page = bytes([1]) * 512 + bytes([2]) * 512
    operations = (Write(FILE, 0, bytes(1024)), Sync(FILE, 1), Write(FILE, 0, page))
    found = {image(*operations, fate=Fate.TORN, seed=seed)[FILE] for seed in range(50)}
    assert found == {bytes(1024), page, page[:512] + bytes(512), bytes(512) + page[512:]}


def test_a_file_is_cut_only_for_certain_when_that_was_synced() -> None:
    operations = (Write(FILE, 0, b"abcd"), Sync(FILE, 1), Truncate(FILE, 1))
    assert image(*operations) == {FILE: b"abcd"}
    assert image(*operations, Sync(FILE, 3)) == {FILE: b"a"}
