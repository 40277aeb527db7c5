"""Sealing a card's UID for the ingester: HPKE (RFC 9180; X25519, HKDF-SHA256, AES-128-GCM).

Only the sealed form touches a disk or the wire. The text form is `KEYID.BASE64URL`: the key id travels with the card,
so that keys rotate while old backlogs can still be opened. The device's id is bound into the seal: a copy under another
device's name does not open.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from contract.topics import DeviceId

MAX_UID: Final = 10
UID_LENGTHS: Final = (4, 7, 10)
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_SEALED_BYTES: Final = 32 + (1 + MAX_UID) + 16  # encapsulated key, padded UID, tag
_KEY_ID = re.compile(r"[a-z0-9-]{1,16}")


class UnreadableCard(ValueError):
    """The sealed text can never be opened: malformed, altered, or sealed for another device."""


class UnknownKey(LookupError):
    """The card was sealed for a key that is not here; it opens once that key is installed."""


class UnusableUid(ValueError):
    """The UID has a length no card has, or is random and names nobody."""


def is_random(uid: bytes) -> bool:
    """Whether a card made this UID up for one contact (4 bytes starting 08, ISO/IEC 14443-3)."""
    return len(uid) == 4 and uid[0] == 0x08


@dataclass(frozen=True, slots=True)
class SealedCard:
    """A sealed UID and the id of the key it was sealed for."""

    key_id: str
    sealed: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> SealedCard:
        """Read `KEYID.BASE64URL`. Raises `UnreadableCard`."""
        key_id, _, encoded = text.partition(".")
        if not _KEY_ID.fullmatch(key_id):
            raise UnreadableCard("the sealed card does not start with a key id and a dot")
        try:
            sealed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise UnreadableCard("the sealed card is not base64url") from error
        if len(sealed) != _SEALED_BYTES:
            raise UnreadableCard(f"the sealed card has {len(sealed)} bytes instead of {_SEALED_BYTES}")
        return cls(key_id, sealed)

    def __str__(self) -> str:
        return f"{self.key_id}.{base64.urlsafe_b64encode(self.sealed).decode().rstrip('=')}"


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The public half, installed on every machine."""

    key_id: str
    public: X25519PublicKey = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> SealingKey:
        """Read `KEYID.BASE64URL` of the 32 raw bytes. Raises `ValueError`."""
        key_id, raw = _split_key(text)
        return cls(key_id, X25519PublicKey.from_public_bytes(raw))

    def __str__(self) -> str:
        return _join_key(self.key_id, self.public.public_bytes_raw())

    def seal(self, uid: bytes, device: DeviceId) -> SealedCard:
        """Seal *uid* (4, 7 or 10 bytes) as read at *device*. Raises `UnusableUid`."""
        if len(uid) not in UID_LENGTHS or is_random(uid):
            raise UnusableUid("the card gives no lasting number: it cannot be used for attendance")
        padded = bytes([len(uid)]) + uid.ljust(MAX_UID, b"\0")
        return SealedCard(self.key_id, _SUITE.encrypt(padded, self.public, info=_info(device)))


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """The private half, held by the ingester alone."""

    key_id: str
    private: X25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, key_id: str) -> OpeningKey:
        """A new key under *key_id* (a-z, 0-9, '-', at most 16)."""
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError(f"{key_id!r} is no key id: use at most 16 of a-z, 0-9 and '-'")
        return cls(key_id, X25519PrivateKey.generate())

    @classmethod
    def parse(cls, text: str) -> OpeningKey:
        """Read `KEYID.BASE64URL` of the 32 raw bytes. Raises `ValueError`, which never shows the key."""
        key_id, raw = _split_key(text)
        return cls(key_id, X25519PrivateKey.from_private_bytes(raw))

    def reveal(self) -> str:
        """The text that `parse` reads, for the key file. Named so that nobody logs it by accident."""
        return _join_key(self.key_id, self.private.private_bytes_raw())

    def public(self) -> SealingKey:
        """The half that machines get."""
        return SealingKey(self.key_id, self.private.public_key())


@dataclass(frozen=True, slots=True)
class Keyring:
    """The private keys an ingester holds, current and old."""

    keys: Mapping[str, OpeningKey] = field(repr=False)

    def open(self, card: SealedCard, device: DeviceId) -> bytes:
        """The UID that was read at *device*. Raises `UnknownKey` or `UnreadableCard`."""
        key = self.keys.get(card.key_id)
        if key is None:
            raise UnknownKey(f"sealing key {card.key_id} is not installed here; install it and the tap is resolved")
        try:
            padded = _SUITE.decrypt(card.sealed, key.private, info=_info(device))
        except (InvalidTag, ValueError) as error:
            raise UnreadableCard("the sealed card does not open: altered, or sealed for another device") from error
        length, uid = padded[0], padded[1:]
        if length not in UID_LENGTHS or any(uid[length:]):
            raise UnreadableCard("the sealed card holds no UID")
        return uid[:length]


def _info(device: DeviceId) -> bytes:
    return b"hadir card v1|" + device.encode()


def _split_key(text: str) -> tuple[str, bytes]:
    key_id, _, encoded = text.strip().partition(".")
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("the key file does not start with a key id and a dot")
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("the key file is not base64url after the dot") from None
    if len(raw) != 32:
        raise ValueError(f"the key has {len(raw)} bytes instead of 32")
    return key_id, raw


def _join_key(key_id: str, raw: bytes) -> str:
    return f"{key_id}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"
