"""A clock that lives in a small JSON file, so that a demo can run it faster and chaos can set it while a machine runs.

`Setting` is the file's content and all arithmetic; monotonic time keeps its course through every change but a reboot.
"""

import json
import logging
import os
import threading
import time
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from edge.clock import BadClockAddress

_log = logging.getLogger(__name__)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Setting:
    """At *anchor_ms* of this computer's monotonic clock, this one showed *wall_ms*, *mono_ms* after its boot."""

    anchor_ms: int
    wall_ms: int
    mono_ms: int = 0
    speed: float = 1.0
    trusted: bool = True
    boot: str = ""

    def wall_at(self, real_ms: int) -> int:
        return self.wall_ms + self._elapsed(real_ms)

    def mono_at(self, real_ms: int) -> int:
        return self.mono_ms + self._elapsed(real_ms)

    def moved(self, real_ms: int) -> Self:
        """The same course, anchored at *real_ms*: the base of every change."""
        return replace(self, anchor_ms=real_ms, wall_ms=self.wall_at(real_ms), mono_ms=self.mono_at(real_ms))

    def rebooted(self, real_ms: int, *, boot: str) -> Self:
        """A power cut now: monotonic time starts anew and nobody has set the clock yet."""
        return replace(self.moved(real_ms), mono_ms=0, boot=boot, trusted=False)

    def _elapsed(self, real_ms: int) -> int:
        return int((real_ms - self.anchor_ms) * self.speed)


def real_ms() -> int:
    """This computer's monotonic clock, the same for all its processes."""
    return time.monotonic_ns() // 1_000_000


def start(wall_ms: int, *, speed: float = 1.0, trusted: bool = True) -> Setting:
    """A setting that shows *wall_ms* now, in a boot of its own."""
    return Setting(anchor_ms=real_ms(), wall_ms=wall_ms, speed=speed, trusted=trusted, boot=str(uuid.uuid4()))


def write(path: str | Path, setting: Setting) -> None:
    """Put *setting* into force at once, for every process that reads the file."""
    target = Path(path)
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    fresh.write_text(json.dumps(asdict(setting)), "utf-8")
    fresh.replace(target)


def read(path: str | Path) -> Setting:
    """The setting in force; raises BadClockAddress."""
    try:
        return _checked(json.loads(Path(path).read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadClockAddress(f"the simulated clock {path} cannot be read ({error}): write it anew") from error


def step(path: str | Path, by_ms: int) -> None:
    """Set the wall clock forward, or back when negative."""
    setting = read(path).moved(real_ms())
    write(path, replace(setting, wall_ms=setting.wall_ms + by_ms))


def set_wall(path: str | Path, wall_ms: int) -> None:
    write(path, replace(read(path).moved(real_ms()), wall_ms=wall_ms))


def set_trusted(path: str | Path, trusted: bool) -> None:
    write(path, replace(read(path), trusted=trusted))


def set_speed(path: str | Path, speed: float) -> None:
    write(path, _checked(asdict(replace(read(path).moved(real_ms()), speed=speed))))


def reboot(path: str | Path, *, wall_ms: int | None = None) -> None:
    """As after a power cut: new boot id, untrusted, the wall clock where it was or at *wall_ms*."""
    setting = read(path).rebooted(real_ms(), boot=str(uuid.uuid4()))
    write(path, setting if wall_ms is None else replace(setting, wall_ms=wall_ms))


class SimulatedClock:
    """The clock in *path*, looked up anew whenever the file was replaced. A file that turns bad changes nothing."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._one_at_a_time = threading.RLock()
        self._version = self._current_version()
        self._setting = read(self._path)
        self._latest = (self._setting.boot, 0)

    @property
    def boot(self) -> str:
        return self._in_force().boot

    def wall_ms(self) -> int:
        return self._in_force().wall_at(real_ms())

    def mono_ms(self) -> int:
        with self._one_at_a_time:
            setting = self._in_force()
            boot, latest = self._latest
            now = setting.mono_at(real_ms())
            self._latest = (setting.boot, max(now, latest) if setting.boot == boot else now)
            return self._latest[1]

    def is_trusted(self) -> bool:
        return self._in_force().trusted

    def real_seconds(self, ms: int) -> float:
        return ms / 1000 / self._in_force().speed

    def now(self) -> datetime:
        """The wall time as an aware UTC value, for programs that want time as an argument."""
        return _EPOCH + timedelta(milliseconds=self.wall_ms())

    def _in_force(self) -> Setting:
        with self._one_at_a_time:
            version = self._current_version()
            if version != self._version:
                self._version = version
                self._look_up()
            return self._setting

    def _look_up(self) -> None:
        try:
            self._setting = read(self._path)
        except BadClockAddress as error:
            _log.warning("Keeping the last time setting: %s", error, extra={"action": "clock_file_unreadable"})

    def _current_version(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns


def _checked(raw: dict[str, object]) -> Setting:
    setting = Setting(**raw)  # type: ignore[arg-type]  # the next lines look at what came out of the file
    numbers = (setting.anchor_ms, setting.wall_ms, setting.mono_ms)
    if not all(type(number) is int for number in numbers) or not isinstance(setting.trusted, bool):
        raise ValueError("times must be whole milliseconds, trusted true or false")
    if type(setting.speed) not in (int, float) or not 0 < setting.speed < 1e6:
        raise ValueError("speed must be a positive number")
    if not isinstance(setting.boot, str) or not setting.boot:
        raise ValueError("a boot id is missing")
    return setting
