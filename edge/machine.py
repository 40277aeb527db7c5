"""What every thread of the machine shares: its name, time and outbox; and what it says about itself as messages."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from contract.messages import Status
from contract.topics import DeviceId
from edge.clock import Clock
from edge.dating import Dating
from edge.outbox import Kept, NotKept, Outbox, Position, rows

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """One running machine."""

    device: DeviceId
    clock: Clock
    dating: Dating
    outbox: Outbox
    session: int
    wake: Callable[[], None]
    """Something is in the outbox: whoever sends should look."""

    def report(self, event: str, *, at_once: bool = False, **detail: str | int | float | bool) -> Kept | None:
        """Keep an event; one that cannot be kept is logged, and nothing else suffers."""
        try:
            kept = self.outbox.keep(rows.event(self.dating.now(), event, **detail), at_once=at_once)
        except NotKept as error:
            _log.warning("The event %s is lost: %s", event, error, extra={"action": "event_lost", "event": event})
            return None
        _log.info("Event %s", event, extra={"action": "event_kept", "event": event})
        self.wake()
        return kept

    def birth(self) -> Status:
        """Said at each connect."""
        return self._status("birth", self.outbox.position())

    def goodbye(self) -> Status:
        """Said before a clean disconnect; nothing is kept after it."""
        return self._status("goodbye", self.outbox.position())

    def _status(self, reason: str, position: Position) -> Status:
        now = self.dating.now()
        return Status.model_validate(
            {
                "device": self.device,
                "online": reason == "birth",
                "session": self.session,
                "reason": reason,
                "at": now.at,
                "boot": now.boot,
                "uptime_s": now.mono // 1000,
                "outbox": position.outbox,
                "last_seq": position.last_seq,
                "confirmed": position.confirmed,
            }
        )


def will(device: DeviceId, session: int) -> Status:
    """What the broker says for a machine that vanished."""
    return Status(device=device, online=False, session=session, reason="will")
