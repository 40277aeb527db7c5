"""What an ingester must be told, read once from the environment (`HADIR_…`). Secrets come from files."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud.feed import Address
from cloud.history import Access
from cloud.ingest.opening import Opener
from cloud.records.pseudonyms import Pepper
from contract.cards import Keyring, OpeningKey

PREFIX = "HADIR_"
SLUG = r"^[a-z][a-z0-9-]{0,31}$"


class BadSettings(ValueError):
    """The environment does not describe an ingester; the message names each variable and what is wrong with it."""


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "mqtts" or not parts.hostname:
        raise ValueError("must be mqtts://HOST or mqtts://HOST:PORT (the ingester speaks TLS only)")
    _ = parts.port  # raises ValueError itself
    return url


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    @classmethod
    def read(cls) -> Self:
        """The settings of this process. Raises `BadSettings`."""
        try:
            return cls()
        except ValidationError as error:
            raise BadSettings("; ".join(_faults(error))) from None  # the cause would show what was given


class DatabaseSettings(_Settings):
    """What reaches the records, for every command."""

    database_url: str = ""
    database_url_file: Path | None = None
    log: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if bool(self.database_url) == (self.database_url_file is not None):
            raise ValueError("give HADIR_DATABASE_URL or HADIR_DATABASE_URL_FILE, and only one of them")
        return self

    def database(self) -> str:
        """The database's URL. Raises `BadSettings`."""
        if self.database_url_file is None:
            return self.database_url
        return read_secret("DATABASE_URL_FILE", self.database_url_file)


class HistorySettings(DatabaseSettings):
    """What reaches records and history."""

    history: str
    influx_token_file: Path | None = None
    influx_org: str = "hadir"
    instance: str = Field(default_factory=lambda: _slug(socket.gethostname()), pattern=SLUG)
    """The ingester's name: unlike that of every other ingester."""

    def access(self, purpose: str = "") -> Access:
        """As whom to write: the ingester itself, or a command run beside it. Raises `BadSettings`."""
        file = self.influx_token_file
        token = read_secret("INFLUX_TOKEN_FILE", file) if file is not None else ""
        writer = f"{self.instance}-{purpose}" if purpose else self.instance
        return Access(writer, token, self.influx_org)


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

    broker: Annotated[str, AfterValidator(_broker)]
    ca_file: Path
    cert_file: Path
    key_file: Path
    ready_file: Path | None = None
    """Exists while this ingester is connected and both databases answer; its time is that of the last look."""

    def address(self) -> Address:
        """The broker. Raises `BadSettings`."""
        parts = urlsplit(self.broker)
        try:
            tls = ssl.create_default_context(cafile=self.ca_file)
            tls.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"HADIR_CA_FILE, HADIR_CERT_FILE, HADIR_KEY_FILE: cannot be used ({error})") from error
        return Address(parts.hostname or "", parts.port or 8883, f"hadir-ingest-{self.instance}", tls)


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


def read_secret(name: str, path: Path) -> str:
    """What the file holds, without the line's end. Raises `BadSettings`."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{PREFIX}{name}: {path} cannot be read ({error.__class__.__name__})") from error


def _slug(text: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    return f"i-{plain}-{os.getpid()}"[:32] if not plain[:1].isalpha() else plain[:32]


def _faults(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{PREFIX}{'.'.join(map(str, fault['loc'])).upper() or '*'}: {fault['msg']}" for fault in found]
