"""The clock of this machine, trusted once the kernel says it was synchronised since this boot.

A clock that was synchronised stays trusted until the next boot: it drifts by seconds, while a machine without a battery
clock that was not synchronised may be wrong by years. The kernel forgets after hours without network; we must not.
"""

import contextlib
import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
TIMESYNCD_EVIDENCE: Final = Path("/run/systemd/timesync/synchronized")
TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES: Final = 512  # more than any struct timex


def means_synchronised(state: int) -> bool:
    """What adjtimex answered; a refused question (-1: seccomp, as systemd's ProtectClock does) counts as no."""
    return 0 <= state < TIME_ERROR


def is_kernel_synchronised() -> bool:
    """Whether the kernel holds its clock for synchronised now."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))  # modes = 0: only asks
    return means_synchronised(state)


class SystemClock:
    """Evidence of a synchronisation, any of: the kernel now, timesyncd's note, our own note at *marker*.

    *marker* outlives the process, not the boot; it holds the boot id, so one that did outlive the boot proves nothing.
    """

    def __init__(
        self,
        marker: str | Path | None = None,
        *,
        is_synchronised: Callable[[], bool] = is_kernel_synchronised,
        timesyncd: Path = TIMESYNCD_EVIDENCE,
    ) -> None:
        self._boot = BOOT_ID.read_text("ascii").strip()
        self._marker = Path(marker) if marker else None
        self._is_synchronised = is_synchronised
        self._timesyncd = timesyncd
        self._is_trusted = self._is_marked()

    @property
    def boot(self) -> str:
        return self._boot

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000  # unlike CLOCK_MONOTONIC it counts sleep

    def is_trusted(self) -> bool:
        if not self._is_trusted and (self._is_synchronised() or self._timesyncd.exists()):
            self._is_trusted = True
            self._mark()
        return self._is_trusted

    def real_seconds(self, ms: int) -> float:
        return ms / 1000

    def _is_marked(self) -> bool:
        with contextlib.suppress(OSError):
            return self._marker is not None and self._marker.read_text("ascii") == self._boot
        return False

    def _mark(self) -> None:
        if self._marker is not None:
            with contextlib.suppress(OSError):  # without the note we only have to ask again after a restart
                fresh = self._marker.with_name(f"{self._marker.name}.{os.getpid()}")
                fresh.write_text(self._boot, "ascii")
                fresh.replace(self._marker)
