"""What an alert worker must be told, read once from the environment (`HADIR_…`). Secrets come from files."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from cloud import environment
from cloud.alerts import policy
from cloud.alerts.channels import BadChannelUrl, Channel, Secrets, open_channel
from cloud.alerts.policy import BadPolicy, Policies
from cloud.environment import PREFIX, SLUG, BadSettings, BrokerUrl, RecordsSettings, read_secret
from cloud.feed import Address
from cloud.history import Access

__all__ = ["BadSettings", "ChannelSettings", "DeskSettings", "Settings"]


def _slug() -> str:
    return f"alerts-{environment.host_slug()}"[:32]


class DeskSettings(RecordsSettings):
    """What every command needs: the records and the policy."""

    policy_file: Path | None = None
    """The policy; without it, the one that comes with the program."""

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
    instance: str = Field(default_factory=_slug, pattern=SLUG)
    """The worker's name: unlike that of every other program that writes to the history."""
    broker: BrokerUrl
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
        return environment.access(self.instance, self.influx_token_file, self.influx_org)

    def address(self) -> Address:
        """The broker, for the canary. Raises `BadSettings`."""
        return environment.address(
            self.broker, f"hadir-alerts-{self.instance}", ca=self.ca_file, cert=self.cert_file, key=self.key_file
        )

    def ping_url(self) -> str:
        """The dead man's switch; empty = none. Raises `BadSettings`."""
        return read_secret("PING_URL_FILE", self.ping_url_file) if self.ping_url_file is not None else ""
