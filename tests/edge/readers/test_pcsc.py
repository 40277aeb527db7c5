"""The PC/SC reader against a real pcscd with virtual cards: what cards, cables and restarts do to it."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

pcsc = pytest.importorskip("edge.readers.pcsc", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")

from demo.servers.pcscd import Pcscd  # noqa: E402 - only with pyscard
from demo.servers.virtual_card import FAILED, UNSUPPORTED, Faults, VirtualCard  # noqa: E402
from edge import watchdog  # noqa: E402
from edge.readers import CardRead, ReaderFault, ReaderOk, Reading, TryAgain, Unusable  # noqa: E402

pytestmark = pytest.mark.integration

A = bytes.fromhex("04A1B2C3D4E5F6")
B = bytes.fromhex("04998877665544")
POLL_S = 0.4  # how often pcscd looks whether a card lies there
CONTACT_S = 0.6


@pytest.fixture
def reader(pcscd: Pcscd) -> Iterator[pcsc.PcscReader]:
    reader = pcsc.PcscReader()
    assert heard(reader, 1) == [ReaderOk()]
    yield reader
    reader.close()


def heard(reader: pcsc.PcscReader, count: int, *, within_s: float = 5) -> list[Reading]:
    """The next *count* readings, fewer when they do not come in time."""
    readings: list[Reading] = []
    until = time.monotonic() + within_s
    while len(readings) < count and time.monotonic() < until:
        if (reading := reader.read(0.1)) is not None:
            readings.append(reading)
    return readings


def silence(reader: pcsc.PcscReader, *, for_s: float = CONTACT_S) -> bool:
    return heard(reader, 1, within_s=for_s) == []


def test_cards_of_every_length_are_read(pcscd, reader) -> None:
    for uid in (b"\1\2\3\4", A, b"\1\2\3\4\5\6\7\x08\x09\x0a"):
        with pcscd.card(uid):
            assert heard(reader, 1) == [CardRead(uid)]
            assert silence(reader, for_s=CONTACT_S), "a card that stays is one reading"
        time.sleep(CONTACT_S)


FAULTS = [
    pytest.param(b"\x08\1\2\3", Faults(), Unusable, id="random number"),
    pytest.param(A, Faults(sw=UNSUPPORTED), Unusable, id="unsupported"),
    pytest.param(A, Faults(sw=FAILED), TryAgain, id="failed"),
    pytest.param(A, Faults(tear=True), TryAgain, id="torn away"),
]


@pytest.mark.parametrize(("uid", "faults", "kind"), FAULTS)
def test_a_card_that_cannot_be_used_is_said_so_once_and_the_next_is_read(pcscd, reader, uid, faults, kind) -> None:
    with VirtualCard(uid, port=pcscd.port, faults=faults):
        assert [type(reading) for reading in heard(reader, 1)] == [kind]
        assert silence(reader)
    time.sleep(CONTACT_S)
    with pcscd.card(B):
        assert heard(reader, 1) == [CardRead(B)]


def test_a_card_that_lies_there_at_start_is_read_once(pcscd) -> None:
    with pcscd.card(A):
        time.sleep(2 * POLL_S)
        reader = pcsc.PcscReader()
        assert heard(reader, 2) == [ReaderOk(), CardRead(A)]
        assert silence(reader)
        reader.close()


def test_a_card_swapped_within_one_poll_is_read(pcscd, reader) -> None:
    first, second = pcscd.card(A), pcscd.card(B)
    first.insert()
    assert heard(reader, 1) == [CardRead(A)]
    first.remove()
    second.insert()
    time.sleep(4 * POLL_S)  # pcscd sees both changes before we look again
    assert heard(reader, 1) == [CardRead(B)]
    second.remove()


def test_the_same_card_laid_on_again_is_another_reading(pcscd, reader) -> None:
    for _ in range(2):
        with pcscd.card(A):
            assert heard(reader, 1) == [CardRead(A)]
        assert silence(reader, for_s=CONTACT_S)


def test_a_restarted_pcscd_is_a_fault_that_passes(pcscd, reader) -> None:
    pcscd.stop()
    assert [type(reading) for reading in heard(reader, 1)] == [ReaderFault]
    assert silence(reader), "a fault is said once"
    pcscd.start()
    assert heard(reader, 1) == [ReaderOk()]
    with pcscd.card(A):
        assert heard(reader, 1) == [CardRead(A)]


def test_a_card_that_lies_there_through_a_restart_is_no_second_reading(pcscd, reader) -> None:
    with pcscd.card(A):
        assert heard(reader, 1) == [CardRead(A)]
        pcscd.stop()
        assert [type(reading) for reading in heard(reader, 1)] == [ReaderFault]
    pcscd.start()
    with pcscd.card(A):
        time.sleep(2 * POLL_S)
        assert heard(reader, 2, within_s=1.5) == [ReaderOk()]
    time.sleep(CONTACT_S)
    assert silence(reader, for_s=0.2)
    with pcscd.card(A):
        assert heard(reader, 1) == [CardRead(A)], "lifted and laid on again it is one"


def test_a_card_that_was_lifted_before_a_restart_is_read_after_it(pcscd, reader) -> None:
    with pcscd.card(A):
        assert heard(reader, 1) == [CardRead(A)]
    assert silence(reader, for_s=CONTACT_S)
    pcscd.stop()
    heard(reader, 1)
    pcscd.start()
    with pcscd.card(A):
        time.sleep(2 * POLL_S)
        assert heard(reader, 2) == [ReaderOk(), CardRead(A)]


def test_another_card_after_a_restart_is_read(pcscd, reader) -> None:
    with pcscd.card(A):
        assert heard(reader, 1) == [CardRead(A)]
        pcscd.stop()
        heard(reader, 1)
    pcscd.start()
    with pcscd.card(B):
        time.sleep(2 * POLL_S)
        assert heard(reader, 2) == [ReaderOk(), CardRead(B)]


def test_without_pcscd_the_reader_says_so_and_waits(pcscd) -> None:
    pcscd.stop()
    reader = pcsc.PcscReader()
    [fault] = heard(reader, 1)
    assert isinstance(fault, ReaderFault)
    assert "pcscd" in fault.reason
    began = time.monotonic()
    assert reader.read(0.3) is None
    assert time.monotonic() - began >= 0.3
    reader.close()


def test_a_name_that_no_reader_has_is_a_fault(pcscd) -> None:
    reader = pcsc.PcscReader("Omnikey")
    [fault] = heard(reader, 1)
    assert isinstance(fault, ReaderFault)
    assert "no card reader" in fault.reason
    reader.close()


def test_a_mute_card_makes_the_reader_late_and_the_next_card_works(pcscd, reader) -> None:
    said: list[str] = []
    dog = watchdog.Watchdog({"reader": 0.5}, notify=said.append)
    readings: list[Reading] = []
    stop = threading.Event()
    thread = threading.Thread(target=drive, args=(reader, dog, readings.append, stop), daemon=True)
    thread.start()
    with VirtualCard(A, port=pcscd.port, faults=Faults(mute=True)):
        wait_until(lambda: dog.check() == ["reader"])
        pings = said.count("WATCHDOG=1")
        assert dog.check() == ["reader"]
        assert said.count("WATCHDOG=1") == pings
    wait_until(lambda: dog.check() == [])
    time.sleep(CONTACT_S)
    with pcscd.card(B):
        wait_until(lambda: CardRead(B) in readings)
    stop.set()
    thread.join(5)
    assert CardRead(A) not in readings


def drive(
    reader: pcsc.PcscReader, dog: watchdog.Watchdog, take: Callable[[Reading], None], stop: threading.Event
) -> None:
    while not stop.is_set():
        dog.beat("reader")
        if (reading := reader.read(0.1)) is not None:
            take(reading)


def wait_until(condition: Callable[[], bool], *, within_s: float = 10) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.02)


def test_no_card_number_is_logged(pcscd, reader, caplog) -> None:
    caplog.set_level("DEBUG")
    with pcscd.card(A):
        heard(reader, 1)
    assert A.hex() not in caplog.text.lower()
