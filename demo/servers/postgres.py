"""A PostgreSQL cluster of its own, loopback and password only, run unprivileged even when we are root."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from demo.servers import process

PACKAGE: Final = "postgresql"
HOST: Final = "127.0.0.1"
OWNER: Final = "hadir"
_INSTALLED: Final = Path("/usr/lib/postgresql")
_UNPRIVILEGED: Final = ("postgres", "nobody")


class Postgres:
    """A cluster in *folder*, which an unprivileged user must be able to enter.

    `fsync=False` only where nobody minds losing it all.
    """

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        self.port = process.free_port()
        self.log = folder / "postgres.log"
        self._password = secrets.token_urlsafe(16)
        self._data = folder / "data"
        self._as_user = _drop_to(folder)
        self._bin = [str(found) for found in sorted(_INSTALLED.glob("*/bin"), key=_version, reverse=True)]
        self._init(folder)
        self._process = process.Process(
            [*self._as_user, self._program("postgres"), "-D", str(self._data), *self._settings(fsync=fsync)],
            log=self.log,
            folder=Path("/"),
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The maintenance database, for SQLAlchemy with psycopg."""
        return self.url_of("postgres")

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        return self._process.pid

    def url_of(self, database: str) -> str:
        """The address of *database*, for SQLAlchemy with psycopg."""
        return f"postgresql+psycopg://{OWNER}:{self._password}@{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Start it and return when it takes connections."""
        self._process.start(self._is_up)

    def stop(self) -> None:
        """End it in good order, without waiting for clients to leave ("fast" shutdown)."""
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would, and return once its last child has noticed: until then it cannot start again."""
        children = _children(self._process.pid)
        self._process.kill()
        process.wait_for(lambda: not any(map(_exists, children)), "The end of PostgreSQL's children")

    def restart(self) -> None:
        """End it and start it at the same address."""
        self.stop()
        self.start()

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """A new database, empty or a copy of *template*, to which nobody may be connected; answers its address."""
        self._run("createdb", "-h", HOST, "-p", str(self.port), "-U", OWNER, "-T", template, name)
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, also under those still connected to it."""
        self._run("dropdb", "--force", "-h", HOST, "-p", str(self.port), "-U", OWNER, name)

    def _init(self, folder: Path) -> None:
        password = folder / "password"
        password.write_text(self._password)
        password.chmod(0o600)
        if self._as_user:
            shutil.chown(password, _unprivileged().pw_uid)
        options = ("-U", OWNER, f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")
        # What a crash during initdb loses is begun anew; what the server writes later is synced as `fsync` says.
        self._run("initdb", "--no-sync", "-D", str(self._data), *options)

    def _settings(self, *, fsync: bool) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if fsync else "off",
            "timezone": "UTC",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, self._program(program), *arguments]
        environment = {**os.environ, "PGPASSWORD": self._password}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
        if done.returncode:
            raise process.ServerFailed(f"{program} failed: {done.stderr.strip()}")

    def _program(self, name: str) -> str:
        return process.find(name, package=PACKAGE, folders=self._bin)

    def _is_up(self) -> bool:
        asked = [self._program("pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        return subprocess.run(asked, check=False).returncode == 0


def _drop_to(folder: Path) -> list[str]:
    """The words before a command that run it unprivileged in *folder*: none unless we are root."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return []
    user = _unprivileged()
    os.chown(folder, user.pw_uid, user.pw_gid)
    setpriv = process.find("setpriv", package="util-linux")
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _unprivileged() -> pwd.struct_passwd:
    known = {user.pw_name: user for user in pwd.getpwall()}
    return next(known[name] for name in _UNPRIVILEGED if name in known)


def _version(folder: Path) -> float:
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
