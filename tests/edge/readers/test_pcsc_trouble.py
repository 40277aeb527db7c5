"""The PC/SC reader against a pcscd that fails wherever and however we like."""

import time
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pcsc = pytest.importorskip("edge.readers.pcsc", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")

from smartcard import scard  # noqa: E402 - only with pyscard

from edge.readers import CardRead, ReaderFault, ReaderOk, Reading, TryAgain, Unusable  # noqa: E402

A = bytes.fromhex("04A1B2C3D4E5F6")
B = bytes.fromhex("04998877665544")
READER = "Reader 00 00"
OK = scard.SCARD_S_SUCCESS
CALLS = (
    "SCardEstablishContext",
    "SCardListReaders",
    "SCardGetStatusChange",
    "SCardConnect",
    "SCardTransmit",
    "SCardDisconnect",
    "SCardReleaseContext",
)
CODES = [
    *pcsc._LOST,
    scard.SCARD_E_TIMEOUT,
    scard.SCARD_E_SHARING_VIOLATION,
    scard.SCARD_E_PROTO_MISMATCH,
    scard.SCARD_E_NOT_TRANSACTED,
    scard.SCARD_E_NO_SMARTCARD,
    scard.SCARD_W_REMOVED_CARD,
    scard.SCARD_W_UNRESPONSIVE_CARD,
    scard.SCARD_W_UNPOWERED_CARD,
    0xDEADBEEF,
]


class FakePcscd:
    """Readers with cards on them; each call answers the next code waiting for it, or does its work."""

    def __init__(self, *readers: str) -> None:
        self.cards: dict[str, bytes | None] = dict.fromkeys(readers)
        self.events: dict[str, int] = dict.fromkeys(readers, 0)
        self.troubles: dict[str, deque[int]] = {call: deque() for call in CALLS}
        self.answers: deque[bytes] = deque()
        self.asked: list[bytes] = []
        self.flags = 0
        self._last = ""

    def put(self, card: bytes | None, reader: str = READER) -> None:
        self.cards[reader] = card
        self.events[reader] += 1

    def _trouble(self, call: str) -> int:
        return self.troubles[call].popleft() if self.troubles[call] else OK

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:  # noqa: N802 - the name of the standard
        return self._trouble("SCardEstablishContext"), 1

    def SCardReleaseContext(self, context: int) -> int:  # noqa: N802
        return self._trouble("SCardReleaseContext")

    def SCardListReaders(self, context: int, groups: Sequence[str]) -> tuple[int, list[str]]:  # noqa: N802
        return self._trouble("SCardListReaders"), list(self.cards)

    def SCardGetStatusChange(  # noqa: N802
        self, context: int, timeout_ms: int, states: Sequence[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]:
        code = self._trouble("SCardGetStatusChange")
        now = [(name, self._state(name), list[int]()) for name, _ in states]
        if code == OK and [state for _, state, _ in now] == [state for _, state in states]:
            code = scard.SCARD_E_TIMEOUT
        return code, now

    def _state(self, reader: str) -> int:
        flag = scard.SCARD_STATE_PRESENT if self.cards[reader] is not None else scard.SCARD_STATE_EMPTY
        return self.events[reader] << 16 | flag | self.flags

    def SCardConnect(  # noqa: N802
        self, context: int, reader: str, share: int, protocols: int
    ) -> tuple[int, int, int]:
        self._last = reader
        return self._trouble("SCardConnect"), 2, 2

    def SCardTransmit(  # noqa: N802
        self, card: int, protocol: int, command: Sequence[int]
    ) -> tuple[int, list[int]]:
        self.asked.append(bytes(command))
        answer = self.answers.popleft() if self.answers else (self.cards[self._last] or b"") + b"\x90\x00"
        return self._trouble("SCardTransmit"), list(answer)

    def SCardDisconnect(self, card: int, disposition: int) -> int:  # noqa: N802
        return self._trouble("SCardDisconnect")


@pytest.fixture
def fake() -> FakePcscd:
    return FakePcscd(READER)


@pytest.fixture
def reader(fake: FakePcscd) -> Any:
    return pcsc.PcscReader(service=fake)


def heard(reader: Any, *, looks: int = 8) -> list[Reading]:
    return [reading for _ in range(looks) if (reading := reader.read(0)) is not None]


def test_a_card_the_reader_fails_to_read_at_once_is_asked_a_second_time(fake, reader) -> None:
    fake.put(A)
    fake.answers.append(bytes.fromhex("6300"))
    assert heard(reader) == [ReaderOk(), CardRead(A)]


def test_a_card_that_fails_twice_is_to_be_laid_on_again(fake, reader) -> None:
    fake.put(A)
    fake.answers.extend([b"", b""])
    assert heard(reader) == [ReaderOk(), TryAgain("the card was taken away while it was read")]


@pytest.mark.parametrize(
    ("first", "repeated"), [("6C07", "FFCA000007"), ("6107", "FFC0000007")], ids=["other length", "more to fetch"]
)
def test_a_reader_that_wants_another_form_gets_it(fake, reader, first, repeated) -> None:
    fake.put(A)
    fake.answers.append(bytes.fromhex(first))
    assert heard(reader) == [ReaderOk(), CardRead(A)]
    assert [command.hex().upper() for command in fake.asked] == ["FFCA000000", repeated]


def test_a_reader_that_never_has_enough_is_given_up(fake, reader) -> None:
    fake.put(A)
    fake.answers.extend([bytes.fromhex("6C07")] * 20)
    assert heard(reader) == [ReaderOk(), TryAgain("the reader kept asking for another form of the command")]
    assert len(fake.asked) == 2 * pcsc.ATTEMPTS


def test_an_unusable_card_is_asked_once(fake, reader) -> None:
    fake.put(b"\x08\1\2\3")
    assert isinstance(heard(reader)[-1], Unusable)
    assert len(fake.asked) == 1


@pytest.mark.parametrize("flag", [scard.SCARD_STATE_UNAVAILABLE, scard.SCARD_STATE_UNKNOWN])
def test_a_pulled_cable_is_a_fault_until_it_is_plugged_in_again(fake, reader, flag) -> None:
    assert heard(reader) == [ReaderOk()]
    fake.flags = flag
    assert heard(reader) == [ReaderFault("the card reader was unplugged")]
    fake.flags = 0
    assert heard(reader) == [ReaderOk()]


def test_a_missing_reader_is_a_fault_until_there_is_one(fake, reader) -> None:
    fake.cards.clear()
    [fault] = heard(reader)
    assert isinstance(fault, ReaderFault)
    assert "no card reader is plugged in" in fault.reason
    fake.cards[READER] = None
    assert heard(reader) == [ReaderOk()]


def test_another_reason_for_the_fault_is_said_too(fake, reader) -> None:
    fake.troubles["SCardEstablishContext"].extend([scard.SCARD_E_NO_SERVICE] * 3)
    fake.cards.clear()
    reasons = [reading.reason for reading in heard(reader) if isinstance(reading, ReaderFault)]
    assert len(reasons) == 2
    assert "pcscd" in reasons[0]
    assert "no card reader" in reasons[1]


def test_a_lasting_fault_is_said_once_and_not_asked_about_in_a_busy_loop(fake, reader) -> None:
    fake.put(A)
    fake.troubles["SCardConnect"].extend([scard.SCARD_E_READER_UNAVAILABLE] * 1000)
    assert reader.read(0.02) == ReaderFault("the card reader was unplugged")
    began = time.monotonic()
    assert [reader.read(0.02) for _ in range(5)] == [None] * 5
    assert time.monotonic() - began >= 0.1


def test_a_card_read_before_another_reader_was_lost_is_not_lost_with_it() -> None:
    fake = FakePcscd("One", "Two")
    reader = pcsc.PcscReader(service=fake)
    assert heard(reader) == [ReaderOk()]
    fake.put(A, "One")
    fake.put(B, "Two")
    fake.troubles["SCardConnect"].extend([OK, scard.SCARD_E_READER_UNAVAILABLE])
    readings = heard(reader)
    assert readings.count(CardRead(A)) == 1
    assert readings.count(CardRead(B)) == 1


def test_a_card_on_each_of_two_readers_is_read() -> None:
    fake = FakePcscd("One", "Two")
    fake.put(A, "One")
    fake.put(B, "Two")
    assert heard(pcsc.PcscReader(service=fake)) == [ReaderOk(), CardRead(A), CardRead(B)]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("code", CODES, ids=lambda code: f"{code:08X}")
def test_whatever_code_a_call_returns_nothing_raises_and_the_next_card_is_read(call: str, code: int) -> None:
    fake = FakePcscd(READER)
    reader = pcsc.PcscReader(service=fake)
    heard(reader)
    fake.put(A)
    fake.troubles[call].extend([code] * 3)
    heard(reader)
    fake.troubles[call].clear()
    fake.put(None)
    heard(reader)
    fake.put(B)
    assert heard(reader)[-1:] == [CardRead(B)]


Trouble = st.tuples(st.sampled_from(CALLS), st.sampled_from(CODES))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(Trouble, st.sampled_from([A, B, None])), max_size=12))
def test_after_any_history_faults_and_recoveries_alternate_and_the_next_card_is_read_once(history) -> None:
    fake = FakePcscd(READER)
    reader = pcsc.PcscReader(service=fake)
    readings: list[Reading] = []
    for step in history:
        if isinstance(step, tuple):
            fake.troubles[step[0]].append(step[1])
        else:
            fake.put(step)
        readings += heard(reader, looks=2)
    for waiting in fake.troubles.values():
        waiting.clear()
    readings += heard(reader)
    fake.put(None)
    readings += heard(reader)
    health = [reading for reading in readings if isinstance(reading, ReaderOk | ReaderFault)]
    assert health[-1] == ReaderOk()
    assert all(before != after for before, after in pairwise(health))
    fake.put(A)
    assert heard(reader) == [CardRead(A)]


def test_a_card_lying_there_while_everything_is_rebuilt_is_not_read_again(fake, reader) -> None:
    fake.put(A)
    heard(reader)
    for call in ("SCardListReaders", "SCardGetStatusChange"):
        fake.troubles[call].append(scard.SCARD_E_NO_SERVICE)
        assert CardRead(A) not in heard(reader)


def test_two_readers_by_name_are_two_readers() -> None:
    fake = FakePcscd("Hall", "Office")
    fake.put(A, "Office")
    assert heard(pcsc.PcscReader("hall", service=fake)) == [ReaderOk()]


def test_fetching_more_is_asked_in_the_class_of_the_first_command() -> None:
    assert pcsc.GET_RESPONSE[0] == pcsc.GET_UID[0]
