"""Cards on PC/SC readers, through pcscd: `pcsc:` watches every reader, `pcsc:NAME` those whose name contains NAME.

The `SCard…` functions return a code and never raise; every code is looked at here. Whatever is lost (pcscd, the cable)
is given up whole and built anew at the next call. pyscard's own CardMonitor dies for good when pcscd restarts.
"""

# ruff: noqa: N802 - the names are those of the PC/SC standard

import hashlib
import re
import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from smartcard import scard

from edge.readers import CardRead, ReaderFault, ReaderOk, Reading, TryAgain, Unusable, judge

GET_UID: Final = bytes.fromhex("FFCA000000")
GET_RESPONSE: Final = bytes.fromhex("FFC0000000")
ATTEMPTS: Final = 2
PAUSE_BETWEEN_ATTEMPTS_S: Final = 0.05

_LOST: Final = {
    scard.SCARD_E_NO_SERVICE: "pcscd does not answer: check that the service pcscd is running",
    scard.SCARD_E_SERVICE_STOPPED: "pcscd was stopped or restarted",
    scard.SCARD_E_INVALID_HANDLE: "pcscd was restarted",
    scard.SCARD_F_COMM_ERROR: "the connection to pcscd broke",
    scard.SCARD_F_INTERNAL_ERROR: "pcscd reports an internal error",
    scard.SCARD_W_SECURITY_VIOLATION: "pcscd refuses this user: check its access rule (polkit)",
    scard.SCARD_E_NO_READERS_AVAILABLE: "no card reader is plugged in, or another driver (pn533) holds it",
    scard.SCARD_E_READER_UNAVAILABLE: "the card reader was unplugged",
    scard.SCARD_E_UNKNOWN_READER: "the card reader was unplugged",
}


class Service(Protocol):
    """What we need of pcscd, as `smartcard.scard` offers it."""

    def SCardEstablishContext(self, scope: int, /) -> tuple[int, int]: ...
    def SCardReleaseContext(self, context: int, /) -> int: ...
    def SCardListReaders(self, context: int, groups: Sequence[str], /) -> tuple[int, list[str]]: ...
    def SCardGetStatusChange(
        self, context: int, timeout_ms: int, states: Sequence[tuple[str, int]], /
    ) -> tuple[int, list[tuple[str, int, list[int]]]]: ...
    def SCardConnect(self, context: int, reader: str, share: int, protocols: int, /) -> tuple[int, int, int]: ...
    def SCardTransmit(self, card: int, protocol: int, command: Sequence[int], /) -> tuple[int, list[int]]: ...
    def SCardDisconnect(self, card: int, disposition: int, /) -> int: ...


class _ReaderLost(Exception):
    """Nothing can be read until the connection to pcscd and the list of readers are built anew."""


@dataclass(frozen=True, slots=True)
class Resend:
    """The reader asks for the command to be given in this other form."""

    command: bytes


def interpret(answer: bytes) -> Reading | Resend:
    """What the answer to GET_UID says; fewer than two bytes means the card left while it was read."""
    if len(answer) < 2:
        return TryAgain("the card was taken away while it was read")
    uid, status = answer[:-2], (answer[-2], answer[-1])
    match status:
        case (0x90, 0x00) | (0x62, 0x82):
            return judge(uid)
        case (0x61, length):
            return Resend(GET_RESPONSE[:4] + bytes([length]))
        case (0x6C, length):
            return Resend(GET_UID[:4] + bytes([length]))
        case (0x6A, 0x81) | (0x6D | 0x6E, 0x00):
            return Unusable("the reader cannot give the number of this kind of card")
    return TryAgain(f"the reader answered {answer[-2:].hex().upper()}")


def is_new_card(before: int, now: int) -> bool:
    """Whether a card was laid on between two states of a reader.

    Bits 16-31 count insertions and removals: a card swapped within one poll leaves "present" standing.
    """
    was_present, is_present = before & scard.SCARD_STATE_PRESENT, now & scard.SCARD_STATE_PRESENT
    return bool(is_present) and (not was_present or before >> 16 != now >> 16)


def watched(readers: list[str], name: str) -> list[str]:
    """The readers to watch: those called *name*, or all but the slots for security modules."""
    if name:
        return [reader for reader in readers if name.casefold() in reader.casefold()]
    return [reader for reader in readers if not re.search(r"\bSAM\b", reader)]


class PcscReader:
    """Readings from pcscd. A card that lies there at start counts once, and not again when pcscd comes back."""

    def __init__(self, name: str = "", *, service: Service = scard) -> None:
        self._name = name
        self._service = service
        self._context: int | None = None
        self._states: dict[str, int] = {}
        self._lying: dict[str, bytes] = {}  # keyed hashes: a UID is kept nowhere longer than needed
        self._key = secrets.token_bytes(16)
        self._ready: deque[Reading] = deque()
        self._health: ReaderOk | ReaderFault | None = None

    @property
    def _is_lost(self) -> bool:
        """Then every look at pcscd is preceded by a pause: a fault that lasts must not become a busy loop."""
        return isinstance(self._health, ReaderFault)

    def read(self, timeout_s: float) -> Reading | None:
        if not self._ready:
            if self._is_lost:
                time.sleep(timeout_s)
            try:
                self._poll(0 if self._is_lost else timeout_s)
            except _ReaderLost as lost:
                self._let_go()
                self._report(ReaderFault(str(lost)))
        return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        self._let_go()
        self._lying.clear()

    def _poll(self, timeout_s: float) -> None:
        context = self._connected()
        self._states = {name: self._states.get(name, scard.SCARD_STATE_UNAWARE) for name in self._listed(context)}
        code, states = self._service.SCardGetStatusChange(context, int(timeout_s * 1000), list(self._states.items()))
        if code != scard.SCARD_E_TIMEOUT:
            _expect_success(code)
            for name, state, _ in states:
                self._notice(name, state)
        self._report(ReaderOk())

    def _notice(self, name: str, state: int) -> None:
        if state & (scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_UNKNOWN):
            raise _ReaderLost(_LOST[scard.SCARD_E_READER_UNAVAILABLE])
        before = self._states[name]
        if not state & scard.SCARD_STATE_PRESENT:
            self._lying.pop(name, None)
        elif is_new_card(before, state):
            self._take_in(name, first_look=before == scard.SCARD_STATE_UNAWARE)
        self._states[name] = state

    def _take_in(self, name: str, *, first_look: bool) -> None:
        reading = self._read_card(name)
        mark = hashlib.blake2b(reading.uid, key=self._key).digest() if isinstance(reading, CardRead) else b""
        self._report(ReaderOk())
        if not (first_look and mark and self._lying.get(name) == mark):
            self._ready.append(reading)
        self._lying[name] = mark

    def _read_card(self, name: str) -> Reading:
        reading = self._read_once(name)
        for _ in range(ATTEMPTS - 1):
            if isinstance(reading, TryAgain):
                time.sleep(PAUSE_BETWEEN_ATTEMPTS_S)
                reading = self._read_once(name)
        return reading

    def _read_once(self, name: str) -> Reading:
        """One fresh connection, one question: a handle from before a swap would belong to the card before."""
        code, card, protocol = self._service.SCardConnect(
            self._connected(), name, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
        )
        if code != scard.SCARD_S_SUCCESS:
            return _failed(code)
        try:
            return self._ask(card, protocol)
        finally:
            self._service.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)

    def _ask(self, card: int, protocol: int) -> Reading:
        command = GET_UID
        for _ in range(2):
            code, answer = self._service.SCardTransmit(card, protocol, list(command))
            if code != scard.SCARD_S_SUCCESS:
                return _failed(code)
            verdict = interpret(bytes(answer))
            if not isinstance(verdict, Resend):
                return verdict
            command = verdict.command
        return TryAgain("the reader kept asking for another form of the command")

    def _connected(self) -> int:
        if self._context is None:
            code, context = self._service.SCardEstablishContext(scard.SCARD_SCOPE_USER)
            _expect_success(code)
            self._context = context
        return self._context

    def _listed(self, context: int) -> list[str]:
        code, readers = self._service.SCardListReaders(context, [])
        _expect_success(code)
        names = watched(readers, self._name)
        if not names:
            raise _ReaderLost(_LOST[scard.SCARD_E_NO_READERS_AVAILABLE])
        return names

    def _let_go(self) -> None:
        if self._context is not None:
            self._service.SCardReleaseContext(self._context)
        self._context = None
        self._states.clear()

    def _report(self, health: ReaderOk | ReaderFault) -> None:
        if health != self._health:
            self._health = health
            self._ready.append(health)


def _failed(code: int) -> TryAgain:
    """The card's part of the trouble; raises when the reader or pcscd is the trouble."""
    if code in _LOST:
        raise _ReaderLost(_LOST[code])
    return TryAgain(scard.SCardGetErrorMessage(code))


def _expect_success(code: int) -> None:
    if code != scard.SCARD_S_SUCCESS:
        raise _ReaderLost(_LOST.get(code, scard.SCardGetErrorMessage(code)))
