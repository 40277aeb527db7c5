"""Debian's InfluxDB 1.6 as a server of its own, behind the addresses of 2.x that Hadir writes to."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypedDict
from urllib.parse import urlencode

from demo.servers import process
from demo.servers.influx_proxy import HOST, InfluxProxy

PACKAGE: Final = "influxdb"
BUCKETS: Final = ("taps", "ops", "aggregate")

_CONFIG: Final = """\
reporting-disabled = true
bind-address = "{host}:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "{host}:{port}"
  log-enabled = false
"""

Row = dict[str, object]


class _Series(TypedDict, total=False):
    name: str
    tags: dict[str, object]
    columns: list[str]
    values: list[list[object]]


class _Result(TypedDict, total=False):
    series: list[_Series]
    error: str


class QueryRefused(RuntimeError):
    """The engine did not run a query; the message is the engine's."""


class InfluxDB:
    """An engine with *buckets* (a database each) in *folder*; what it stores outlives `stop`, `kill` and `restart`."""

    org = "hadir"

    def __init__(self, folder: Path, *, buckets: Iterable[str] = BUCKETS) -> None:
        program = process.find("influxd", package=PACKAGE)
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "influxd.log"
        self.token = secrets.token_urlsafe(16)
        self._buckets = tuple(buckets)
        self._engine_port = process.free_port()
        config = folder / "influxdb.conf"
        config.write_text(
            _CONFIG.format(host=HOST, rpc_port=process.free_port(), port=self._engine_port, folder=folder)
        )
        self._proxy = InfluxProxy(port=process.free_port(), engine_port=self._engine_port, token=self.token)
        self._process = process.Process([program, "run", "-config", str(config)], log=self.log)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address clients write and query at, with `token`."""
        return f"http://{HOST}:{self._proxy.port}"

    @property
    def pid(self) -> int:
        """The engine's process id."""
        return self._process.pid

    def start(self) -> None:
        """Start it and return when it takes writes to all its buckets."""
        self._process.start(self._is_up)
        for bucket in self._buckets:
            self.create_bucket(bucket)
        self._proxy.start()

    def stop(self) -> None:
        """End it in good order."""
        self._proxy.stop()
        self._process.stop()

    def kill(self) -> None:
        """End it as a power cut would; clients find nobody at its address."""
        self._proxy.stop()
        self._process.kill()

    def kill_engine(self) -> None:
        """End the engine alone; clients are answered 502."""
        self._process.kill()

    def restart(self) -> None:
        """End it and start it at the same address."""
        self.stop()
        self.start()

    def create_bucket(self, name: str) -> None:
        """Make a bucket; one that exists stays as it is."""
        self._ask(f'CREATE DATABASE "{name}"', method="POST")

    def query(self, bucket: str, influxql: str) -> list[Row]:
        """Every row of every series of the answer: columns, tags and `name`; times in ns. Raises `QueryRefused`."""
        result = self._ask(influxql, method="GET", db=bucket, epoch="ns")
        return [
            {"name": series.get("name"), **series.get("tags", {}), **dict(zip(series["columns"], values, strict=True))}
            for series in result.get("series", ())
            for values in series.get("values", ())
        ]

    def _ask(self, influxql: str, *, method: str, **parameters: str) -> _Result:
        address = f"http://{HOST}:{self._engine_port}/query?{urlencode({'q': influxql, **parameters})}"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=60) as answer:
                result: _Result = json.load(answer)["results"][0]
        except urllib.error.HTTPError as error:
            with error:
                raise QueryRefused(f"{influxql}: {error.read().decode(errors='replace')}") from error
        if "error" in result:  # some faults come with status 200
            raise QueryRefused(f"{influxql}: {result['error']}")
        return result

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self._engine_port}/ping", timeout=5):
                return True
        except OSError:
            return False
