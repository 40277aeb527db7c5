"""What every card reader keeps to."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from edge import readers
from edge.readers import CardRead, Reader, ReaderOk, Reading, Unusable, simulated, stdin

UIDS = [bytes.fromhex(uid) for uid in ("01020304", "04A1B2C3D4E5F6", "0102030405060708090A")]
A, B = UIDS[1], bytes.fromhex("04998877665544")
RANDOM = bytes.fromhex("08010203")


class Stand(Protocol):
    """A reader and somebody who lays cards on it."""

    reader: Reader

    def lay(self, uid: bytes) -> None:
        """Lay a card on, after the one before was taken away."""


class SimulatedStand:
    def __init__(self, folder: Path) -> None:
        self.reader = readers.open_reader(f"sim:{folder}/reader")
        self._finger = simulated.Finger(folder / "reader")
        self._hands = ThreadPoolExecutor(1)

    def lay(self, uid: bytes) -> None:
        self._hands.submit(self._finger.lay, uid)

    def close(self) -> None:
        self.reader.close()
        self._hands.shutdown()


class StdinStand:
    def __init__(self) -> None:
        self._ends = os.pipe()
        self.reader = stdin.StdinReader(self._ends[0])

    def lay(self, uid: bytes) -> None:
        os.write(self._ends[1], uid.hex().encode() + b"\n")

    def close(self) -> None:
        self.reader.close()
        for end in self._ends:
            os.close(end)


class PcscStand:
    CONTACT_S = 0.6

    def __init__(self, pcscd) -> None:
        self.reader = readers.open_reader(f"pcsc:{pcscd.reader}")
        self._pcscd = pcscd
        self._card = None

    def lay(self, uid: bytes) -> None:
        self._lift()
        self._card = self._pcscd.card(uid)
        self._card.insert()

    def _lift(self) -> None:
        if self._card is not None:
            self._card.remove()
            time.sleep(self.CONTACT_S)

    def close(self) -> None:
        self._lift()
        self.reader.close()


@pytest.fixture(params=["sim", "stdin", pytest.param("pcsc", marks=pytest.mark.integration)])
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    match request.param:
        case "sim":
            stand = SimulatedStand(tmp_path)
        case "stdin":
            stand = StdinStand()
        case _:
            pytest.importorskip("smartcard", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")
            stand = PcscStand(request.getfixturevalue("pcscd"))
    yield stand
    stand.close()


def heard(reader: Reader, *, within_s: float = 5) -> Reading | None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if (reading := reader.read(0.1)) is not None:
            return reading
    return None


def test_the_first_reading_says_how_the_reader_is(stand) -> None:
    assert heard(stand.reader) == ReaderOk()


def test_without_a_card_it_waits_as_long_as_told_and_has_nothing(stand) -> None:
    heard(stand.reader)
    for timeout_s in (0, 0.2):
        stand.reader.read(0)
        began = time.monotonic()
        assert stand.reader.read(timeout_s) is None
        assert timeout_s - 0.01 <= time.monotonic() - began < timeout_s + 0.5


def test_cards_come_one_by_one_in_order_with_their_bytes_in_order(stand) -> None:
    heard(stand.reader)
    for uid in UIDS:
        stand.lay(uid)
        assert heard(stand.reader) == CardRead(uid)


def test_a_card_is_read_once_for_each_time_it_is_laid_on(stand) -> None:
    heard(stand.reader)
    for _ in range(2):
        stand.lay(A)
        assert heard(stand.reader) == CardRead(A)
        assert heard(stand.reader, within_s=0.8) is None


def test_a_random_number_is_unusable_and_the_next_card_is_read(stand) -> None:
    heard(stand.reader)
    stand.lay(RANDOM)
    assert isinstance(heard(stand.reader), Unusable)
    stand.lay(B)
    assert heard(stand.reader) == CardRead(B)


def test_no_number_is_shown_or_logged(stand, caplog, capfd) -> None:
    caplog.set_level("DEBUG")
    heard(stand.reader)
    stand.lay(A)
    shown = repr(heard(stand.reader))
    stand.reader.close()
    said = f"{shown}{caplog.text}{''.join(capfd.readouterr())}".lower()
    assert A.hex() not in said
    assert repr(A).lower() not in said


def test_closing_twice_is_harmless(stand) -> None:
    stand.reader.close()
    stand.reader.close()
