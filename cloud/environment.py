"""What every program of the cloud reads from its environment (`HADIR_…`). Secrets come from files."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cloud.feed import Address
from cloud.history import Access

PREFIX: Final = "HADIR_"
SLUG: Final = r"^[a-z][a-z0-9-]{0,31}$"


class BadSettings(ValueError):
    """The environment does not describe this program; the message names each variable and what is wrong with it."""


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "mqtts" or not parts.hostname:
        raise ValueError("must be mqtts://HOST or mqtts://HOST:PORT (only TLS is spoken)")
    _ = parts.port  # raises ValueError itself
    return url


BrokerUrl = Annotated[str, AfterValidator(_broker)]


class RecordsSettings(BaseSettings):
    """What reaches the records, for every command."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: str = ""
    database_url_file: Path | None = None
    log: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @classmethod
    def read(cls) -> Self:
        """The settings of this process. Raises `BadSettings`."""
        try:
            return cls()
        except ValidationError as error:
            raise BadSettings("; ".join(_faults(error))) from None  # the cause would show what was given

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


def access(writer: str, token_file: Path | None, org: str) -> Access:
    """As whom to write to the history. Raises `BadSettings`."""
    token = read_secret("INFLUX_TOKEN_FILE", token_file) if token_file is not None else ""
    return Access(writer, token, org)


def address(url: str, client_id: str, *, ca: Path, cert: Path, key: Path) -> Address:
    """The broker at *url*, spoken to as *client_id* under that certificate. Raises `BadSettings`."""
    parts = urlsplit(url)
    try:
        tls = ssl.create_default_context(cafile=ca)
        tls.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise BadSettings(f"HADIR_CA_FILE, HADIR_CERT_FILE, HADIR_KEY_FILE: cannot be used ({error})") from error
    return Address(parts.hostname or "", parts.port or 8883, client_id, tls)


def read_secret(name: str, path: Path) -> str:
    """What the file of variable *name* holds, without the line's end. Raises `BadSettings`."""
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"{PREFIX}{name}: {path} cannot be read ({error.__class__.__name__})") from error


def host_slug() -> str:
    """This computer's name, as part of a program's."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in socket.gethostname().lower())


def _faults(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{PREFIX}{'.'.join(map(str, fault['loc'])).upper() or '*'}: {fault['msg']}" for fault in found]
