"""The part of pyscard's C binding that we call; every function returns its result code and never raises for it."""

# ruff: noqa: N802 - the names are those of the PC/SC standard

from collections.abc import Sequence

SCARD_E_INVALID_HANDLE: int
SCARD_E_NO_READERS_AVAILABLE: int
SCARD_E_NO_SERVICE: int
SCARD_E_READER_UNAVAILABLE: int
SCARD_E_SERVICE_STOPPED: int
SCARD_E_TIMEOUT: int
SCARD_E_UNKNOWN_READER: int
SCARD_F_COMM_ERROR: int
SCARD_F_INTERNAL_ERROR: int
SCARD_LEAVE_CARD: int
SCARD_PROTOCOL_T0: int
SCARD_PROTOCOL_T1: int
SCARD_SCOPE_USER: int
SCARD_SHARE_DIRECT: int
SCARD_SHARE_SHARED: int
SCARD_STATE_PRESENT: int
SCARD_STATE_UNAVAILABLE: int
SCARD_STATE_UNAWARE: int
SCARD_STATE_UNKNOWN: int
SCARD_S_SUCCESS: int
SCARD_W_SECURITY_VIOLATION: int

def SCARD_CTL_CODE(code: int) -> int: ...
def SCardConnect(context: int, reader: str, share: int, protocols: int) -> tuple[int, int, int]: ...
def SCardControl(card: int, code: int, command: Sequence[int]) -> tuple[int, list[int]]: ...
def SCardDisconnect(card: int, disposition: int) -> int: ...
def SCardEstablishContext(scope: int) -> tuple[int, int]: ...
def SCardGetErrorMessage(code: int) -> str: ...
def SCardGetStatusChange(
    context: int, timeout_ms: int, states: Sequence[tuple[str, int]]
) -> tuple[int, list[tuple[str, int, list[int]]]]: ...
def SCardListReaders(context: int, groups: Sequence[str]) -> tuple[int, list[str]]: ...
def SCardReleaseContext(context: int) -> int: ...
def SCardTransmit(card: int, protocol: int, command: Sequence[int]) -> tuple[int, list[int]]: ...
