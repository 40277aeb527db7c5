"""A private pcscd with one virtual reader, on a socket of its own, beside whatever pcscd the computer runs.

pcscd's socket path is compiled in, but it takes a listening socket the way systemd hands one over (descriptor 3,
LISTEN_FDS, LISTEN_PID), and its clients look for one where PCSCLITE_CSOCK_NAME says: the client library reads that
once per process, so whoever speaks to several in turn lets them listen at one path.

The virtual reader listens on all interfaces: whoever connects is the card. The driver's other form, in which it dials
out, is of no use: it ends pcscd as soon as a card is taken away. So this belongs on build machines and desks.
"""

import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from demo.servers import process
from demo.servers.virtual_card import SUCCESS, Faults, VirtualCard

PACKAGE: Final = "pcscd vsmartcard-vpcd"
NONE: Final = timedelta(0)
READER: Final = "Hadir Virtual Reader"
_DRIVER: Final = "libifdvpcd.so"
_DRIVER_FOLDERS: Final = ("/usr/lib/pcsc/drivers/serial", "/usr/local/lib/pcsc/drivers/serial")
_LONGEST_SOCKET_PATH: Final = 107
_READER_CONF: Final = 'FRIENDLYNAME "{name}"\nDEVICENAME /dev/null:{port}\nLIBPATH {driver}\nCHANNELID {port}\n'
# The shell knows its own pid, which is pcscd's after exec; the listening socket comes in as standard input.
_HAND_OVER: Final = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&0 0</dev/null'
_LISTENING: Final = "0A"


class Pcscd:
    """One pcscd in *folder*. Clients need `environment`; two entries in one pcscd do not work, so it has one reader."""

    reader = f"{READER} 00 00"
    """The name under which clients see the reader; the driver always adds a second, "00 01", that stays empty."""

    def __init__(self, folder: Path, *, listen_at: Path | None = None) -> None:
        program = process.find("pcscd", package=PACKAGE)
        self.port = _two_free_ports()
        self.log = folder / "pcscd.log"
        self.socket = listen_at or folder / "pcscd.comm"
        if len(str(self.socket)) > _LONGEST_SOCKET_PATH:
            raise process.ServerFailed(f"{self.socket} is too long a path for a socket: choose a shorter folder.")
        configuration = folder / "reader.conf.d"
        configuration.mkdir(parents=True, exist_ok=True)
        (configuration / "vpcd").write_text(_READER_CONF.format(name=READER, port=self.port, driver=_driver()))
        command = ["/bin/sh", "-c", _HAND_OVER, "sh", program, "--foreground", "--info", "-c", str(configuration)]
        self._process = process.Process(command, log=self.log)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs in its environment to find this pcscd."""
        return {"PCSCLITE_CSOCK_NAME": str(self.socket)}

    @property
    def pid(self) -> int:
        """pcscd's process id."""
        return self._process.pid

    def card(
        self, uid: bytes, *, sw: bytes = SUCCESS, tear: bool = False, mute: bool = False, delay: timedelta = NONE
    ) -> VirtualCard:
        """A card that can be laid on this reader; what may be wrong with it is said in `virtual_card.Faults`."""
        return VirtualCard(uid, port=self.port, faults=Faults(sw=sw, tear=tear, mute=mute, delay=delay))

    def start(self) -> None:
        """Start it and return when the reader is there."""
        if self._process.is_running():
            return
        self.socket.unlink(missing_ok=True)
        with closing(socket.socket(socket.AF_UNIX)) as listening:
            listening.bind(str(self.socket))
            listening.listen(16)
            self.socket.chmod(0o666)  # pcscd decides itself whom it serves
            self._process.start(lambda: _listens(self.port) and _listens(self.port + 1), stdin=listening)

    def stop(self) -> None:
        """End it in good order."""
        self._process.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()

    def restart(self) -> None:
        """End it and start it at the same socket and port."""
        self.stop()
        self.start()


def _driver() -> Path:
    for folder in _DRIVER_FOLDERS:
        if (Path(folder) / _DRIVER).exists():
            return Path(folder) / _DRIVER
    raise process.MissingProgram(
        f"The virtual reader ({_DRIVER}) is not installed: get it with `sudo apt-get install vsmartcard-vpcd`."
    )


def _two_free_ports() -> int:
    """A free port whose successor is free too: the driver's second slot takes it."""
    while True:
        port = process.free_port()
        with closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _listens(port: int) -> bool:
    """Whether somebody listens on *port*, found without connecting: whoever connects would be a card."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(int(row[1].rpartition(":")[2], 16) == port and row[3] == _LISTENING for row in rows)
