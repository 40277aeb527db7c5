"""What a program wrote to its disk and what it showed meanwhile, as strace recorded it; and the disk after a power cut.

The disk then holds what was synced. Of the writes since, each may have reached it whole, in part (by sectors, in any
order) or not at all. A file that was never synced may not even exist.
"""

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Final

STRACE: Final = (
    "strace", "-f", "--seccomp-bpf", "-qq", "-xx", "-y", "-s", "131072", "-e", "signal=none",
    "-e", "trace=write,pwrite64,fsync,fdatasync,ftruncate",
)  # fmt: skip
SECTOR: Final = 512
_CALL: Final = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESUMED: Final = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_FILE: Final = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)>")
_DATA: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_SCREEN: Final = 1


class BadRecording(ValueError):
    """The recording cannot be understood, so it proves nothing; the message shows the line's beginning."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes went to a place in a file; they are on the disk for certain once it is synced."""

    path: Path
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file was cut or stretched."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """Everything done to a file before operation number `begun` is on the disk."""

    path: Path
    begun: int


@dataclass(frozen=True, slots=True)
class Shown:
    """The screen showed a line."""

    line: bytes


Operation = Write | Truncate | Sync | Shown


class Fate(Enum):
    """What became of the writes that were not synced."""

    NONE = auto()
    ALL = auto()
    SOME = auto()
    TORN = auto()


def read(lines: Iterable[str]) -> list[Operation]:
    """The operations of a recording made by `STRACE`, in order. Raises `BadRecording`."""
    found: list[Operation] = []
    unfinished: dict[tuple[str, str], tuple[str, int]] = {}
    for line in lines:
        if call := _CALL.match(line):
            pid, name, rest = call.groups()
            if rest.rstrip().endswith("<unfinished ...>") and "sync" in name:
                unfinished[pid, name] = rest, len(found)
            else:
                found.extend(_operation(name, rest, len(found)))
        elif (resumed := _RESUMED.match(line)) and (begun := unfinished.pop((resumed[1], resumed[2]), None)):
            found.extend(_operation(resumed[2], begun[0], begun[1]))
    return found


def _operation(name: str, rest: str, begun: int) -> Iterator[Operation]:
    file = _FILE.match(rest)
    if file is None or rest.rstrip().endswith(("EINTR", "EBADF")):
        return
    path = Path(_bytes(file[2]).decode("utf-8", "replace"))
    match name:
        case "write" if int(file[1]) == _SCREEN:
            yield Shown(_data(rest))
        case "pwrite64":
            yield Write(path, _number(rest[rest.rindex('"') :].split(",")[2]), _data(rest))
        case "ftruncate":
            yield Truncate(path, _number(rest.split(",")[1]))
        case "fsync" | "fdatasync":
            yield Sync(path, begun)


def _number(text: str) -> int:
    """The number at the beginning; the call may have been left unfinished behind it."""
    return int(text.strip().partition(")")[0].partition(" ")[0])


def _data(rest: str) -> bytes:
    found = _DATA.search(rest)
    if found is None or found[2]:
        raise BadRecording(f"a write was not recorded whole: {rest[:60]}")
    return _bytes(found[1])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


class Disk:
    """The disk while the recording runs: what is safe in each file, and what is in doubt if the power goes now."""

    def __init__(self) -> None:
        self._safe: dict[Path, bytearray] = {}
        self._doubted: dict[Path, list[tuple[int, Write | Truncate]]] = {}

    def take(self, number: int, one: Operation) -> None:
        """Operation *number* happens."""
        if isinstance(one, Write | Truncate):
            self._doubted.setdefault(one.path, []).append((number, one))
        elif isinstance(one, Sync):
            doubted = self._doubted.get(one.path, [])
            safe = self._safe.setdefault(one.path, bytearray())
            for _, part in (entry for entry in doubted if entry[0] < one.begun):
                _apply(safe, part)
            self._doubted[one.path] = [entry for entry in doubted if entry[0] >= one.begun]

    def after_power_cut(self, paths: Iterable[Path], fate: Fate, chance: random.Random) -> dict[Path, bytes]:
        """What lies under *paths* if the power goes now; a path may be missing."""
        found: dict[Path, bytes] = {}
        for path in paths:
            content = bytearray(self._safe.get(path, b""))
            for _, one in self._doubted.get(path, []):
                for part in _survivors(one, fate, chance):
                    _apply(content, part)
            if content or path in self._safe:
                found[path] = bytes(content)
        return found


def _survivors(one: Write | Truncate, fate: Fate, chance: random.Random) -> list[Write | Truncate]:
    match fate:
        case Fate.NONE:
            return []
        case Fate.ALL:
            return [one]
        case Fate.TORN if isinstance(one, Write):
            return [sector for sector in _sectors(one) if chance.random() < 0.5]
    return [one] if chance.random() < 0.5 else []


def _sectors(one: Write) -> Iterator[Write]:
    """The write as the disk takes it: sector by sector."""
    start = 0
    while start < len(one.data):
        end = min(len(one.data), start + SECTOR - (one.offset + start) % SECTOR)
        yield Write(one.path, one.offset + start, one.data[start:end])
        start = end


def _apply(content: bytearray, one: Write | Truncate) -> None:
    if isinstance(one, Truncate):
        del content[one.size :]
        content.extend(bytes(one.size - len(content)))
        return
    content.extend(bytes(max(0, one.offset - len(content))))
    content[one.offset : one.offset + len(one.data)] = one.data
