"""A reader without hardware: a Unix socket that takes one command a line, and the Finger that drives it.

    card HEX · try-again REASON · fault REASON · ok · mute SECONDS        → taken | refused REASON

A command is taken when the machine's reader thread picks it up. In fault the reader refuses cards, like a dead one.
"""

import contextlib
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from edge.readers import BadReaderAddress, ReaderFault, ReaderOk, Reading, TryAgain, judge

MAX_LINE: Final = 1024
MAX_MUTE_S: Final = 3600.0


class NotTaken(Exception):
    """The reader surely did not take the command: it refused, or no machine is running behind the socket."""


class NotAnswered(Exception):
    """The machine vanished or hung after the command was sent: it may have been taken or not."""


class BadCommand(ValueError):
    """A line that is no command, or none this reader can take now; the message goes back to whoever sent it."""


class _Caller:
    """One connection of a driver, and what it sent beyond the last full line."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.rest = b""

    def lines(self) -> list[str] | None:
        """The lines that have arrived, or None when the driver is gone."""
        try:
            chunk = self.connection.recv(4096)
        except OSError:
            return None
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines] if chunk and len(self.rest) < MAX_LINE else None

    def answer(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a driver that left does not want to know
            self.connection.sendall(line.encode() + b"\n")


class SimulatedReader:
    """The machine's end. All work happens inside `read`, in the caller's thread: a hung machine hangs its reader."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._listener = _listen(self._path)
        self._sources = selectors.DefaultSelector()
        self._sources.register(self._listener, selectors.EVENT_READ, self._accept)
        self._orders: deque[tuple[str, _Caller]] = deque()
        self._faulty = False
        self._greeted = False

    def read(self, timeout_s: float) -> Reading | None:
        if not self._greeted:
            self._greeted = True
            return ReaderOk()
        deadline = time.monotonic() + timeout_s
        while True:
            while self._orders:
                if (reading := self._obey(*self._orders.popleft())) is not None:
                    return reading
            if not self._listen_until(deadline):
                return None

    def close(self) -> None:
        sources = self._sources.get_map()
        if sources is None:  # closed before
            return
        for key in list(sources.values()):
            self._hang_up(key.fileobj)
        self._sources.close()
        self._path.unlink(missing_ok=True)

    def _listen_until(self, deadline: float) -> bool:
        """Take in what arrives; whether there is time left."""
        remaining = max(0.0, deadline - time.monotonic())
        events = self._sources.select(remaining)
        for key, _ in events:
            handler: Callable[[], None] = key.data
            handler()
        return bool(events) or time.monotonic() < deadline

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        caller = _Caller(connection)
        self._sources.register(connection, selectors.EVENT_READ, lambda: self._hear(caller))

    def _hear(self, caller: _Caller) -> None:
        lines = caller.lines()
        if lines is None:
            self._hang_up(caller.connection)
        else:
            self._orders.extend((line, caller) for line in lines if line.strip())

    def _hang_up(self, source: object) -> None:
        assert isinstance(source, socket.socket)
        self._sources.unregister(source)
        source.close()

    def _obey(self, line: str, caller: _Caller) -> Reading | None:
        verb, _, rest = line.strip().partition(" ")
        try:
            seconds = _seconds(rest) if verb == "mute" else 0.0
            reading = None if verb == "mute" else self._reading(verb, rest)
        except BadCommand as refusal:
            caller.answer(f"refused {refusal}")
            return None
        caller.answer("taken")
        time.sleep(seconds)
        return reading

    def _reading(self, verb: str, rest: str) -> Reading:
        match verb:
            case "fault":
                self._faulty = True
                return ReaderFault(rest or "simulated fault")
            case "ok":
                self._faulty = False
                return ReaderOk()
            case "card" | "try-again" if self._faulty:
                raise BadCommand("the reader is in fault and reads no card")
            case "card":
                return judge(_uid(rest))
            case "try-again":
                return TryAgain(rest or "simulated torn read")
        raise BadCommand("no such command: use card HEX, try-again REASON, fault REASON, ok or mute SECONDS")


def _uid(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadCommand("the card number is not hexadecimal") from None  # the cause would show it


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as error:
        raise BadCommand("mute takes a number of seconds") from error
    if not 0 <= seconds <= MAX_MUTE_S:
        raise BadCommand(f"mute takes 0 to {MAX_MUTE_S:.0f} seconds")
    return seconds


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_deserted(path):
            path.unlink()
        listener.bind(os.fspath(path))
        path.chmod(0o600)
        listener.listen()
    except OSError as error:
        listener.close()
        raise BadReaderAddress(f"the simulated reader cannot listen on {path}: {error}") from error
    return listener


def _is_deserted(path: Path) -> bool:
    """Whether a socket lies there that nobody listens on: what a killed machine leaves behind."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(os.fspath(path)) != 0


class Finger:
    """Lays cards on a simulated reader, from a test, the demo or the loss rig. One command at a time."""

    def __init__(self, path: str | Path, *, patience_s: float = 10.0) -> None:
        self._path = Path(path)
        self._patience_s = patience_s

    def lay(self, uid: bytes) -> None:
        """Lay a card on; returns once the machine has read it. Raises NotTaken or NotAnswered, as all below."""
        self.say(f"card {uid.hex()}")

    def lay_in_turn(self, uids: Sequence[bytes]) -> Iterator[None]:
        """Lay cards on as fast as the machine takes them; one step per card that it took.

        Ends early when the reader refuses. Raises NotTaken for the first card, NotAnswered for one that may have been
        taken; those behind it were not.
        """
        with self._connection() as connection:
            try:
                connection.sendall(b"".join(f"card {uid.hex()}\n".encode() for uid in uids))
                with connection.makefile("r", encoding="utf-8") as answers:
                    for _ in uids:
                        answer = answers.readline().strip()
                        if answer.startswith("refused"):
                            return
                        if answer != "taken":
                            raise NotAnswered("the machine hung up without an answer: it was ended meanwhile")
                        yield
            except OSError as error:
                raise NotAnswered("the machine did not answer: it hangs or was ended meanwhile") from error

    def fumble(self, reason: str = "simulated torn read") -> None:
        """Lay a card on and take it away too soon."""
        self.say(f"try-again {reason}")

    def break_reader(self, reason: str = "simulated fault") -> None:
        self.say(f"fault {reason}")

    def mend_reader(self) -> None:
        self.say("ok")

    def mute(self, seconds: float) -> None:
        """Let the reader hang for so long, like a card that does not answer."""
        self.say(f"mute {seconds}")

    def say(self, command: str) -> None:
        try:
            with self._connection() as connection:
                connection.sendall(command.encode() + b"\n")
                answer = connection.makefile("r", encoding="utf-8").readline().strip()
        except OSError as error:
            raise NotAnswered("the machine did not answer: it hangs or was ended meanwhile") from error
        verdict, _, reason = answer.partition(" ")
        if verdict == "refused":
            raise NotTaken(reason)
        if verdict != "taken":
            raise NotAnswered("the machine hung up without an answer: it was ended meanwhile")

    def _connection(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._patience_s)
        try:
            connection.connect(os.fspath(self._path))
        except OSError as error:
            connection.close()
            raise NotTaken(f"no machine listens on {self._path}: {error}") from error
        return connection
