"""What an alert worker must be told, read once from the environment (`HADIR_…`). Secrets come from files."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud.alerts import policy
from cloud.alerts.channels import BadChannelUrl, Channel, Secrets, open_channel
from cloud.alerts.policy import BadPolicy, Policies
from cloud.feed import Address
from cloud.history import Access

PREFIX = "HADIR_"
SLUG = r"^[a-z][a-z0-9-]{0,31}$"


class BadSettings(ValueError):
    """The environment does not describe an alert worker; the message names each variable and what is wrong with it."""


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "mqtts" or not parts.hostname:
        raise ValueError("must be mqtts://HOST or mqtts://HOST:PORT (the worker speaks TLS only)")
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


class DeskSettings(_Settings):
    """What every command needs: the records and the policy."""

    database_url: str = ""
    database_url_file: Path | None = None
    policy_file: Path | None = None
    """The policy; without it, the one that comes with the program."""
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

    def policies(self) -> Policies:
        """The thresholds. Raises `BadSettings`."""
        if self.policy_file is None:
            return policy.shipped()
        try:
            return policy.read(self.policy_file)
        except BadPolicy as error:
            raise BadSettings(f"{PREFIX}POLICY_FILE: {error}") from None


class ChannelSettings(DeskSettings):
    """What sending needs."""

    channels: str = "console:"
    """Addresses of the channels, apart by spaces, such as `smtp://hadir@mail:587 telegram: console:`."""
    channel_secrets_dir: Path | None = None
    """A folder with `CHANNEL.token` and `CHANNEL.sender`, such as `telegram.token`."""
    console_url: str = ""
    """Where flags are looked at, such as `https://HOST`: the link in every message; empty = nowhere."""

    def open_channels(self) -> dict[str, Channel]:
        """The channels by name. Raises `BadSettings`."""
        opened: dict[str, Channel] = {}
        for url in self.channels.split():
            name = url.partition(":")[0].removesuffix("+plain").replace("smtps", "smtp")
            try:
                opened[name] = open_channel(url, self._secrets(name))
            except BadChannelUrl as error:
                raise BadSettings(f"{PREFIX}CHANNELS: {error}") from None
        return opened

    def _secrets(self, name: str) -> Secrets:
        return Secrets(token=self._secret(f"{name}.token"), sender=self._secret(f"{name}.sender"))

    def _secret(self, name: str) -> str:
        file = self.channel_secrets_dir / name if self.channel_secrets_dir is not None else None
        return read_secret("CHANNEL_SECRETS_DIR", file) if file is not None and file.exists() else ""


class Settings(ChannelSettings):
    """One alert worker."""

    history: str
    influx_token_file: Path | None = None
    influx_org: str = "hadir"
    instance: str = Field(default_factory=lambda: _slug(socket.gethostname()), pattern=SLUG)
    """The worker's name: unlike that of every other program that writes to the history."""
    broker: Annotated[str, AfterValidator(_broker)]
    ca_file: Path
    cert_file: Path
    key_file: Path
    crl_file: Path | None = None
    """The broker's revocation list, to warn before it expires."""
    ping_url_file: Path | None = None
    """A file with the URL of a dead man's switch outside: called after each full cycle."""
    ready_file: Path | None = None
    """Exists while cycles end well; its time is that of the last one."""

    def access(self) -> Access:
        """As whom to write to the history. Raises `BadSettings`."""
        file = self.influx_token_file
        return Access(self.instance, read_secret("INFLUX_TOKEN_FILE", file) if file else "", self.influx_org)

    def address(self) -> Address:
        """The broker, for the canary. Raises `BadSettings`."""
        parts = urlsplit(self.broker)
        try:
            tls = ssl.create_default_context(cafile=self.ca_file)
            tls.load_cert_chain(self.cert_file, self.key_file)
        except (OSError, ssl.SSLError) as error:
            raise BadSettings(f"HADIR_CA_FILE, HADIR_CERT_FILE, HADIR_KEY_FILE: cannot be used ({error})") from error
        return Address(parts.hostname or "", parts.port or 8883, f"hadir-alerts-{self.instance}", tls)

    def ping_url(self) -> str:
        """The dead man's switch; empty = none. Raises `BadSettings`."""
        return read_secret("PING_URL_FILE", self.ping_url_file) if self.ping_url_file is not None else ""


def read_secret(name: str, path: Path) -> str:
    """What the file holds, without the line's end. Raises `BadSettings`."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{PREFIX}{name}: {path} cannot be read ({error.__class__.__name__})") from error


def _slug(text: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())
    return f"alerts-{plain}"[:32]


def _faults(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{PREFIX}{'.'.join(map(str, fault['loc'])).upper() or '*'}: {fault['msg']}" for fault in found]
