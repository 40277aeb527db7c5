"""From a card's UID to its pseudonym: HMAC-SHA256 under a secret pepper. Pure; only ingest and the import use it.

Whoever has the pepper and the database can find a card by trying all UIDs, so the two are never kept together.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

PEPPER_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Pepper:
    """The secret under which UIDs become pseudonyms."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != PEPPER_BYTES:
            raise ValueError(f"a pepper has {PEPPER_BYTES} bytes, not {len(self.secret)}")

    @classmethod
    def parse(cls, text: str) -> Pepper:
        """Read the pepper file: 64 hex digits. Raises `ValueError`, which never shows the secret."""
        try:
            return cls(bytes.fromhex(text.strip()))
        except ValueError:
            raise ValueError(
                "the pepper file does not hold 64 hex digits; `hadir-provision keys pepper FILE` makes one, but only "
                "the pepper that the registry was imported with recognises its cards"
            ) from None

    def pseudonym(self, uid: bytes) -> str:
        """What the card with this UID is known by: 64 hex digits, the same for ever."""
        return hmac.digest(self.secret, uid, hashlib.sha256).hex()
