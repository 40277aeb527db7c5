"""The port for time on a machine without a battery clock: what time it is, and whether that can be believed.

All values are whole milliseconds. Nothing else in `edge` may ask the operating system for the time of day.
"""

from typing import Protocol


class BadClockAddress(ValueError):
    """The configured clock cannot be opened as written; the message says what to do."""


class Clock(Protocol):
    """Wall time may jump at any moment; monotonic time only runs forward and starts anew with each boot."""

    @property
    def boot(self) -> str:
        """The id of this boot (a UUID): monotonic times can be compared within it alone."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC, right or wrong."""
        ...

    def mono_ms(self) -> int:
        """Milliseconds since this boot, at the pace of the wall clock, never stepping back."""
        ...

    def is_trusted(self) -> bool:
        """Whether the wall clock was synchronised at least once since this boot."""
        ...

    def real_seconds(self, ms: int) -> float:
        """How many real seconds *ms* of this clock last: what a thread passes to `wait`."""
        ...


def open_clock(address: str) -> Clock:
    """The clock behind `system:`, `system:MARKER` or `simulated:FILE`; raises BadClockAddress.

    MARKER is a file that outlives the process but not the boot (below /run); it remembers a past synchronisation.
    """
    kind, colon, rest = address.partition(":")
    match kind if colon else "":
        case "system":
            from edge.clock.system import SystemClock

            return SystemClock(rest or None)
        case "simulated" if rest:
            from edge.clock.simulated import SimulatedClock

            return SimulatedClock(rest)
    raise BadClockAddress(f"{address!r} names no clock: use system:, system:MARKER or simulated:FILE")
