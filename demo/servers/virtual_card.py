"""A contactless card for the virtual reader: who is connected to the reader's port *is* the card that lies on it.

Both directions: two bytes of length (big-endian), then that many bytes. From the reader one byte is a command (0 off,
1 on, 2 reset, 4 "your ATR?", the only one that is answered, also the poll); more is an APDU, answered by data and SW.
"""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

SUCCESS: Final = bytes.fromhex("9000")
FAILED: Final = bytes.fromhex("6300")
UNSUPPORTED: Final = bytes.fromhex("6A81")
MIFARE_CLASSIC: Final = bytes.fromhex("3B8F8001804F0CA000000306030001000000006A")
"""The ATR that a contactless reader makes up for a memory card (PC/SC part 3)."""

_GET_UID: Final = bytes.fromhex("FFCA0000")
_UNKNOWN_INSTRUCTION: Final = bytes.fromhex("6D00")
_ASK_ATR: Final = b"\x04"
_PATIENCE: Final = 5.0


@dataclass(slots=True)
class Faults:
    """What goes wrong with a card. It can be changed while the card lies there."""

    sw: bytes = SUCCESS
    """The status word to the question for the UID; anything but success comes without the UID."""
    tear: bool = False
    """The card is pulled away while it is being read."""
    mute: bool = False
    """The card never answers; the reader waits for it until it is removed."""
    delay: timedelta = timedelta(0)
    """How long it thinks before an answer."""


def answer(apdu: bytes, uid: bytes, sw: bytes) -> bytes:
    """What a card says to *apdu*."""
    if not apdu.startswith(_GET_UID):
        return _UNKNOWN_INSTRUCTION
    return uid + sw if sw == SUCCESS else sw


class VirtualCard:
    """A card that can be laid on the reader at *port* and taken away, again and again; `with card:` does both."""

    def __init__(self, uid: bytes, *, port: int, atr: bytes = MIFARE_CLASSIC, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._uid = uid
        self._port = port
        self._atr = atr
        self._line: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.insert()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.remove()

    def insert(self) -> None:
        """Lay it on the reader, which notices within 0.4 s. A second card waits until the first is gone."""
        self.remove()
        self._line = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE)
        self._line.settimeout(None)
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._thread = threading.Thread(target=self._lie_there, args=(self._line,), name="virtual-card", daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Take it away; one that does not lie there stays away."""
        line, self._line = self._line, None
        thread, self._thread = self._thread, None
        if line is None or thread is None:
            return
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        thread.join(_PATIENCE)
        line.close()

    def _lie_there(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (message := _receive(line)) is not None:
                if len(message) > 1 and self.faults.tear:
                    line.shutdown(socket.SHUT_RDWR)
                    return
                reply = self._reply(message)
                if reply is not None:
                    line.sendall(struct.pack(">H", len(reply)) + reply)

    def _reply(self, message: bytes) -> bytes | None:
        if len(message) == 1:
            return self._atr if message == _ASK_ATR else None
        if self.faults.mute:
            return None
        time.sleep(self.faults.delay.total_seconds())
        return answer(message, self._uid, self.faults.sw)


def _receive(line: socket.socket) -> bytes | None:
    """One message; `None` when the reader hung up."""
    head = _exactly(line, 2)
    return None if head is None else _exactly(line, struct.unpack(">H", head)[0])


def _exactly(line: socket.socket, count: int) -> bytes | None:
    received = b""
    while len(received) < count:
        # The reader sends small writes one after the other; an acknowledgement held back 40 ms holds back the next one.
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = line.recv(count - len(received))
        if not part:
            return None
        received += part
    return received
