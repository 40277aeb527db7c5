"""What an ingester must be told, read once from the environment (`HADIR_…`). Secrets come from files."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from cloud import environment
from cloud.environment import SLUG, BadSettings, BrokerUrl, RecordsSettings, read_secret
from cloud.feed import Address
from cloud.history import Access
from cloud.ingest.opening import Opener
from cloud.records.pseudonyms import Pepper
from contract.cards import Keyring, OpeningKey

__all__ = ["BadSettings", "HistorySettings", "RecordsSettings", "Settings", "StoreSettings", "read_keys"]


def _slug() -> str:
    plain = environment.host_slug()
    return f"i-{plain}-{os.getpid()}"[:32] if not plain[:1].isalpha() else plain[:32]


class HistorySettings(RecordsSettings):
    """What reaches records and history."""

    history: str
    influx_token_file: Path | None = None
    influx_org: str = "hadir"
    instance: str = Field(default_factory=_slug, pattern=SLUG)
    """The ingester's name: unlike that of every other ingester."""

    def access(self, purpose: str = "") -> Access:
        """As whom to write: the ingester itself, or a command run beside it. Raises `BadSettings`."""
        writer = f"{self.instance}-{purpose}" if purpose else self.instance
        return environment.access(writer, self.influx_token_file, self.influx_org)


class StoreSettings(HistorySettings):
    """What storing records needs."""

    opening_keys_dir: Path
    """A folder of `KEYID.key` files: the current key and the old ones."""
    pepper_file: Path

    def opener(self) -> Opener:
        """Who opens cards. Raises `BadSettings`."""
        text = read_secret("PEPPER_FILE", self.pepper_file)
        try:
            pepper = Pepper.parse(text)
        except ValueError as error:
            raise BadSettings(f"HADIR_PEPPER_FILE: {error}") from None
        return Opener(read_keys(self.opening_keys_dir), pepper)


class Settings(StoreSettings):
    """One ingester."""

    broker: BrokerUrl
    ca_file: Path
    cert_file: Path
    key_file: Path
    ready_file: Path | None = None
    """Exists while this ingester is connected and both databases answer; its time is that of the last look."""

    def address(self) -> Address:
        """The broker. Raises `BadSettings`."""
        return environment.address(
            self.broker, f"hadir-ingest-{self.instance}", ca=self.ca_file, cert=self.cert_file, key=self.key_file
        )


def read_keys(folder: Path) -> Keyring:
    """Every `*.key` in *folder*. Raises `BadSettings`."""
    keys: dict[str, OpeningKey] = {}
    for path in sorted(folder.glob("*.key")):
        text = read_secret("OPENING_KEYS_DIR", path)
        try:
            key = OpeningKey.parse(text)
        except ValueError as error:
            raise BadSettings(f"HADIR_OPENING_KEYS_DIR: {path.name}: {error}") from None
        keys[key.key_id] = key
    if not keys:
        raise BadSettings(
            f"HADIR_OPENING_KEYS_DIR: no *.key file in {folder}, so every tap would wait; "
            "`hadir-provision keys new` makes one"
        )
    return Keyring(keys)
