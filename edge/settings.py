"""What a machine must be told, read once from the environment (`HADIR_…`). Paths of secrets, never secrets.

Every `…_S` is in real seconds, whatever the pace of a simulated clock; minutes, hours and days follow that clock.
"""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from contract.topics import DeviceId

PREFIX = "HADIR_"


class BadSettings(ValueError):
    """The environment does not describe a machine; the message names each variable and what is wrong with it."""


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "mqtts" or not parts.hostname:
        raise ValueError("must be mqtts://HOST or mqtts://HOST:PORT (the machine speaks TLS only)")
    _ = parts.port  # raises ValueError itself
    return url


Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """One machine."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    device: DeviceId
    broker: Annotated[str, AfterValidator(_broker)]
    ca_file: Path
    cert_file: Path
    key_file: Path
    sealing_key_file: Path
    outbox: Path = Path("/var/lib/hadir/outbox.db")
    reader: str = "pcsc:"
    signals: str = "console:"
    clock: str = "system:/run/hadir/synchronised"
    heartbeat_s: Seconds = 30
    resend_first_s: Seconds = 30
    resend_max_s: Seconds = 600
    park_s: Seconds = 3600
    same_card_s: Seconds = 10
    clock_wait_s: Annotated[float, Field(ge=0)] = 600
    keep_days: Annotated[float, Field(gt=0)] = 35
    row_budget: Annotated[int, Field(ge=10)] = 200_000
    reserve_bytes: Annotated[int, Field(ge=0)] = 8 * 1024 * 1024
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @property
    def broker_host(self) -> str:
        """The broker's name, as its certificate must carry it."""
        return urlsplit(self.broker).hostname or ""

    @property
    def broker_port(self) -> int:
        """8883 unless the address says otherwise."""
        return urlsplit(self.broker).port or 8883

    @classmethod
    def read(cls) -> Self:
        """The settings of this process. Raises `BadSettings`."""
        try:
            return cls()
        except ValidationError as error:
            raise BadSettings("; ".join(_faults(error))) from None  # the cause would show what was given


def _faults(error: ValidationError) -> list[str]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{PREFIX}{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in found]
