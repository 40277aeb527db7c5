"""Cards typed or scanned in: a UID in hexadecimal per line, from a keyboard-wedge reader or a person at a terminal."""

import contextlib
import os
import re
import select
import sys
import termios
import time
from collections import deque
from collections.abc import Iterator
from typing import Final

from edge.readers import ReaderFault, ReaderOk, Reading, TryAgain, judge

MAX_LINE: Final = 256


def parse(line: str) -> Reading:
    """What a line says; spaces, colons and dashes between the digits do not matter."""
    digits = re.sub(r"[\s:-]", "", line)
    try:
        return judge(bytes.fromhex(digits))
    except ValueError:
        return TryAgain("the line is not a card number in hexadecimal")


class StdinReader:
    """Readings from a file descriptor. A terminal does not echo: a UID must not stand on a screen."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = sys.stdin.fileno() if fd is None else fd
        self._rest = b""
        self._at_end = False
        self._ready: deque[Reading] = deque([ReaderOk()])
        self._unhush = contextlib.ExitStack()
        self._unhush.enter_context(_hushed(self._fd))

    def read(self, timeout_s: float) -> Reading | None:
        if not self._ready:
            self._wait(timeout_s)
        return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        self._unhush.close()

    def _wait(self, timeout_s: float) -> None:
        if self._at_end:
            time.sleep(timeout_s)
        elif select.select([self._fd], [], [], timeout_s)[0]:
            self._take(self._next_bytes())

    def _next_bytes(self) -> bytes:
        try:
            return os.read(self._fd, 4096)
        except OSError:  # a terminal that hung up
            return b""

    def _take(self, chunk: bytes) -> None:
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[:MAX_LINE]
        self._ready.extend(parse(line.decode("ascii", "replace")) for line in lines if line.strip())
        if not chunk:
            self._at_end = True
            self._ready.append(ReaderFault("the input ended: the program or terminal that feeds cards is gone"))


@contextlib.contextmanager
def _hushed(fd: int) -> Iterator[None]:
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    quiet = termios.tcgetattr(fd)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(fd, termios.TCSANOW, before)
