"""The programs of the centre as processes: what production's compose file sets, said for this folder and this clock."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from demo import ingester, offices
from demo.fleet import Connection
from demo.foundation import Folder, Series
from demo.servers.process import Process


@dataclass(frozen=True, slots=True)
class Centre:
    """Where the centre's programs run, and in whose time."""

    folder: Folder
    clock: Path
    series: Series
    speed: float

    def ingest(self, connection: Connection) -> Process:
        """Ingest, not started yet."""
        environment = {
            **self._environment(connection, "demo"),
            "HADIR_OPENING_KEYS_DIR": str(self.folder.opening_key.parent),
            "HADIR_PEPPER_FILE": str(self.folder.pepper),
        }
        return self._process("demo.ingester", environment, log="ingest.log")

    def alerts(self, connection: Connection) -> Process:
        """The alert worker, not started yet."""
        policy = self.folder.path / "policy.toml"
        policy.write_text(_policy(self.speed), "utf-8")
        environment = {
            **self._environment(connection, "demo-alerts"),
            "HADIR_POLICY_FILE": str(policy),
            "HADIR_CHANNELS": f"{offices.CHANNEL}:{self.folder.messages}",
        }
        return self._process("demo.alerter", environment, log="alerts.log")

    def _process(self, module: str, environment: dict[str, str], *, log: str) -> Process:
        return Process([sys.executable, "-m", module], log=self.folder.path / log, env=environment)

    def _environment(self, connection: Connection, instance: str) -> dict[str, str]:
        token = self.series.token_file
        return {
            "HADIR_BROKER": connection.broker,
            "HADIR_CA_FILE": str(connection.credentials.ca),
            "HADIR_CERT_FILE": str(connection.credentials.certificate),
            "HADIR_KEY_FILE": str(connection.credentials.key),
            "HADIR_DATABASE_URL": self.folder.database_url,
            "HADIR_HISTORY": self.series.url(self.folder),
            "HADIR_INFLUX_ORG": self.series.org,
            "HADIR_INSTANCE": instance,
            ingester.CLOCK: str(self.clock),
            ingester.PACE: str(self.speed),
            **({"HADIR_INFLUX_TOKEN_FILE": str(token)} if token is not None else {}),
        }


def _policy(speed: float) -> str:
    """The shipped thresholds, but for what SPEED makes of a journey: a second on the way is a minute of the city's."""
    off_s = round(20 * speed)
    return f'version = "demo"\n[clock]\nwarn_s = {max(30, off_s)}\nflag_s = {max(120, off_s)}\n'
