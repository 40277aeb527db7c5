"""From a sealed card to a pseudonym. Keys and pepper live here and go no further; the UID never leaves `open`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cloud.ingest.resolve import CardRead, NotOpened, Opened, Unopenable
from cloud.records.pseudonyms import Pepper
from contract.cards import Keyring, SealedCard, UnknownKey, UnreadableCard, is_random
from contract.topics import DeviceId


class Opens(Protocol):
    """Whoever says what a sealed card is known by."""

    def open(self, sealed: str, device: DeviceId) -> CardRead:
        """What the card is known by, or why that cannot be said."""
        ...


@dataclass(frozen=True, slots=True)
class Opener:
    """Who can open sealed cards."""

    keyring: Keyring = field(repr=False)
    pepper: Pepper = field(repr=False)

    def open(self, sealed: str, device: DeviceId) -> CardRead:
        """What the card is known by, or why that cannot be said."""
        try:
            uid = self.keyring.open(SealedCard.parse(sealed), device)
        except UnknownKey:
            return NotOpened()
        except UnreadableCard as error:
            return Unopenable(str(error))
        return Opened(self.pepper.pseudonym(uid), is_lasting=not is_random(uid))
