"""The real broker, run from deploy/mosquitto.conf on a free loopback port, with an authority of its own.

Only two lines of that file differ here: the listener (port, loopback alone) and, for root, the user (the folder may be
one that only root can enter). Certificates and ACL come from `provisioning`, as in production.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from contract.topics import DeviceId
from demo.servers import process
from provisioning import broker
from provisioning.certificates import AuthorityFolder

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "mosquitto.conf"
PACKAGE: Final = "mosquitto"
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The files a client needs: whom to trust, who it is, and its key."""

    ca: Path
    certificate: Path
    key: Path


def for_loopback(shipped: str, *, port: int, user: str) -> str:
    """The shipped configuration, listening on *port* of loopback alone and run as *user*."""
    lines = shipped.splitlines()
    for old, new in (("listener 8883", f"listener {port} {HOST}"), ("user mosquitto", f"user {user}")):
        if lines.count(old) != 1:
            raise process.ServerFailed(f"{SHIPPED} must contain the line {old!r} exactly once.")
        lines[lines.index(old)] = new
    return "\n".join(lines) + "\n"


class Mosquitto:
    """A broker in *folder*. Nobody may use it before `issue` (a certificate) and, for machines, `admit` (rights)."""

    host = HOST

    def __init__(self, folder: Path, *, now: datetime | None = None) -> None:
        program = process.find("mosquitto", package=PACKAGE)
        self.port = process.free_port()
        self.log = folder / "mosquitto.log"
        self.folder = folder / "broker"
        self._clients = folder / "clients"
        self._devices: set[DeviceId] = set()
        self._authority = AuthorityFolder.init(folder / "ca", now or datetime.now(UTC))
        self._authority.issue_server(["localhost", HOST], self.folder / "tls", now=now or datetime.now(UTC))
        self._write_rules()
        config = for_loopback(SHIPPED.read_text(), port=self.port, user="root" if os.geteuid() == 0 else "mosquitto")
        (self.folder / SHIPPED.name).write_text(config)
        self._process = process.Process([program, "-c", SHIPPED.name], log=self.log, folder=self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The broker's process id."""
        return self._process.pid

    @property
    def authority(self) -> AuthorityFolder:
        """The authority whose certificates this broker believes."""
        return self._authority

    def start(self) -> None:
        """Start it and return when it takes connections."""
        before = self._said("running")
        self._process.start(lambda: self._said("running") > before)

    def stop(self) -> None:
        """End it in good order; it has nothing to save."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()

    def restart(self) -> None:
        """End it and start it on the same port; sessions and retained messages are gone."""
        self.stop()
        self.start()

    def reload(self) -> None:
        """Make it read ACL and revocation list again; what reaches it after this returns is judged by the new ones."""
        before = self._said("Reloading config.")
        broker.reload(self.pid)
        process.wait_for(lambda: self._said("Reloading config.") > before, "The broker's reload")

    def issue(self, name: str, *, now: datetime | None = None) -> Credentials:
        """A certificate for a machine or service."""
        self._authority.issue_client(name, self._clients, now=now or datetime.now(UTC))
        return self.credentials(name)

    def credentials(self, name: str) -> Credentials:
        """The files of what was issued last to *name*."""
        return Credentials(self._clients / "ca.pem", self._clients / f"{name}.pem", self._clients / f"{name}.key")

    def admit(self, *devices: DeviceId) -> None:
        """Give these machines their rights, beside those that have them already."""
        self._devices.update(devices)
        self._write_rules()
        if self._process.is_running():
            self.reload()

    def revoke(self, device: DeviceId) -> None:
        """Take a machine's rights and certificates from it, connected or not."""
        now = datetime.now(UTC)
        self._devices.discard(device)
        self._write_rules()
        self._authority.revoke(device, now=now)
        self.install_revocations()
        self.reload()

    def install_revocations(self) -> None:
        """Hand the authority's revocation list to the broker, which follows it after `reload`."""
        broker.write_revocations(self.folder, (self._authority.path / "crl.pem").read_bytes())

    def _write_rules(self) -> None:
        broker.write_acl(self.folder, self._devices)

    def _said(self, words: str) -> int:
        return sum(line.endswith(words) for line in self._process.logged().splitlines())
