"""Points to line-protocol files, `DIR/BUCKET/DAY.WRITER.lp`, one per writer and day of arrival (UTC).

What `write` returns for is on the disk (fsync). A power cut may tear the last line of a file: opening it again cuts it
off, and whoever wrote it never got an answer for it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from cloud.history import Refused
from cloud.history.patience import NotNow, Pace, Patience
from contract import series
from contract.series import BadPoint, Bucket, Point

_BLOCK: Final = 64 * 1024


class JournalInUse(RuntimeError):
    """Another process writes under the same name into the same folder."""


@dataclass(frozen=True, slots=True)
class Illegible:
    """A line of a journal that is no point: where it is, and why."""

    path: Path
    line_number: int
    reason: str


def read(folder: Path) -> Iterator[Point | Illegible]:
    """Every point of the journal in *folder*, day by day; a line still being written is not seen."""
    for path in sorted(folder.glob("*/*.lp"), key=lambda path: (path.name, path.parent.name)):
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[Point | Illegible]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield series.read(line[:-1].decode("ascii"))
            except (BadPoint, UnicodeDecodeError) as error:
                yield Illegible(path, number, str(error))


class JournalHistory:
    """Appends to the journal in *folder* under the name *writer*."""

    def __init__(self, folder: Path, writer: str, *, now: Callable[[], datetime], pace: Pace | None = None) -> None:
        self._folder = folder
        self._writer = writer
        self._now = now
        self._patience = Patience(pace or Pace())
        self._files: dict[Path, BinaryIO] = {}
        self._one_at_a_time = threading.Lock()
        self._claim: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        claim = (self._folder / f".{self._writer}.lock").open("ab")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            claim.close()
            raise JournalInUse(
                f"Another process writes the journal {self._folder} under the name {self._writer}: "
                "give each ingester a name of its own."
            ) from None
        self._claim = claim
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with self._one_at_a_time:  # a cancelled write may still be on its way
            self._close_files(keep=frozenset())
            if self._claim is not None:
                self._claim.close()

    @property
    def trouble(self) -> str | None:
        """Why a write is waiting; None when nothing is wrong."""
        return self._patience.trouble

    async def write(self, points: Sequence[Point]) -> list[Refused]:
        """Store *points*; a file refuses none."""
        if points:
            await self._patience.until_done("the journal", partial(asyncio.to_thread, self._attempt, points))
        return []

    def _attempt(self, points: Sequence[Point]) -> None:
        """Append and sync. Raises `NotNow`."""
        lines: defaultdict[Bucket, list[str]] = defaultdict(list)
        for point in points:
            lines[point.bucket].append(point.line() + "\n")
        day = self._now().astimezone(UTC).date().isoformat()
        with self._one_at_a_time:
            try:
                for bucket, group in lines.items():
                    self._append(self._folder / bucket / f"{day}.{self._writer}.lp", "".join(group).encode())
            except OSError as error:
                self._close_files(keep=frozenset())  # the next attempt opens anew and cuts what this one tore
                raise NotNow(
                    f"The journal {self._folder} cannot be written ({error.strerror}): points wait in memory and "
                    "nothing is confirmed. Make room or mend the disk.",
                    needs_a_person=True,
                ) from error

    def _append(self, path: Path, text: bytes) -> None:
        file = self._files.get(path)
        if file is None:
            self._close_files(keep={bucketed for bucketed in self._files if bucketed.name == path.name})
            file = self._files[path] = _open_cut(path)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())

    def _close_files(self, *, keep: AbstractSet[Path]) -> None:
        for path in self._files.keys() - keep:
            self._files.pop(path).close()


def _open_cut(path: Path) -> BinaryIO:
    """*path* for appending, at the end of its last whole line."""
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    file = path.open("ab")
    file.truncate(_whole_lines(path))
    if is_new:
        _sync_folder(path.parent)
        _sync_folder(path.parent.parent)
    return file


def _whole_lines(path: Path) -> int:
    """The number of bytes up to and with the last newline."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            end = start
    return 0


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
