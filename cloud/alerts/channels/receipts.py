"""What a channel reports later of a message that it had accepted."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.alerts.channels import Trouble


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the message that the channel calls `reference`."""

    reference: str
    status: str
    """The channel's own word: `sent`, `delivered`, `read`, `failed`."""
    trouble: Trouble | None = None
    """Why it failed, if it did."""

    @property
    def is_delivered(self) -> bool:
        """Whether it is known to have arrived."""
        return self.status in ("delivered", "read")
