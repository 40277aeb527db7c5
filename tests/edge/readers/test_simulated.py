"""The simulated reader and the Finger that drives it."""

import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.readers import BadReaderAddress, CardRead, ReaderFault, ReaderOk, Reading, TryAgain, simulated

UID = bytes.fromhex("04A1B2C3D4E5F6")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reader"


@pytest.fixture
def reader(path: Path):
    reader = simulated.SimulatedReader(path)
    assert reader.read(0) == ReaderOk()
    yield reader
    reader.close()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def raw(path: Path, sent: bytes) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(str(path))
    connection.sendall(sent)
    return connection


def taken(order: "Future[None]", reader: simulated.SimulatedReader) -> Reading | None:
    reading = reader.read(5)
    order.result(5)
    return reading


def test_the_finger_returns_once_its_card_was_read(reader, path, pool) -> None:
    laying = pool.submit(simulated.Finger(path).lay, UID)
    time.sleep(0.05)
    assert not laying.done()
    assert taken(laying, reader) == CardRead(UID)


def test_every_command_becomes_its_reading(reader, path, pool) -> None:
    finger = simulated.Finger(path)
    assert taken(pool.submit(finger.fumble, "torn"), reader) == TryAgain("torn")
    assert taken(pool.submit(finger.break_reader, "kabel lepas"), reader) == ReaderFault("kabel lepas")
    assert taken(pool.submit(finger.mend_reader), reader) == ReaderOk()


def test_a_reader_in_fault_reads_no_card_until_it_is_mended(reader, path, pool) -> None:
    finger = simulated.Finger(path)
    taken(pool.submit(finger.break_reader), reader)
    laying = pool.submit(finger.lay, UID)
    assert reader.read(0.2) is None
    with pytest.raises(simulated.NotTaken, match="in fault"):
        laying.result(5)
    taken(pool.submit(finger.mend_reader), reader)
    assert taken(pool.submit(finger.lay, UID), reader) == CardRead(UID)


@pytest.mark.parametrize("command", ["card", "card zz", "dance", "mute", "mute -1", "mute nan", "mute 99999"])
def test_what_is_no_command_is_refused_and_reads_nothing(reader, path, pool, command) -> None:
    saying = pool.submit(simulated.Finger(path).say, command)
    if command == "card":  # an empty answer is a torn read
        assert isinstance(reader.read(5), TryAgain)
        return
    assert reader.read(0.2) is None
    with pytest.raises(simulated.NotTaken) as refusal:
        saying.result(5)
    assert "zz" not in str(refusal.value)


def test_commands_of_one_burst_are_read_one_by_one_in_order(reader, path) -> None:
    with raw(path, b"card 01020304\n\ncard 01020305\ntry-again smudge\n") as driver:
        readings = [reader.read(5) for _ in range(3)]
        assert readings == [CardRead(b"\1\2\3\4"), CardRead(b"\1\2\3\5"), TryAgain("smudge")]
        assert driver.recv(100) == b"taken\ntaken\ntaken\n"


def test_a_line_that_never_ends_is_hung_up_on(reader, path) -> None:
    with raw(path, b"x" * 2000) as driver:
        assert reader.read(0.1) is None
        with pytest.raises(ConnectionResetError):
            driver.recv(1) or (_ for _ in ()).throw(ConnectionResetError)
    assert reader.read(0) is None


def test_a_driver_that_left_before_its_answer_does_no_harm(reader, path) -> None:
    raw(path, b"card 01020304\n").close()
    assert reader.read(5) == CardRead(b"\1\2\3\4")
    assert reader.read(0.05) is None


def test_a_driver_that_never_read_its_answer_does_no_harm(reader, path) -> None:
    driver = raw(path, b"card 01020304\n")
    assert reader.read(5) == CardRead(b"\1\2\3\4")
    driver.close()
    assert reader.read(0.05) is None


def test_a_mute_card_holds_the_reader_up(reader, path, pool) -> None:
    muting = pool.submit(simulated.Finger(path).mute, 0.3)
    began = time.monotonic()
    assert reader.read(0.05) is None or muting.result(5) is None
    while not muting.done():
        reader.read(0.05)
    assert time.monotonic() - began >= 0.3


def test_without_a_machine_nothing_is_taken(path) -> None:
    with pytest.raises(simulated.NotTaken, match="no machine listens"):
        simulated.Finger(path).lay(UID)


def test_a_machine_that_hangs_leaves_the_outcome_open(reader, path) -> None:
    with pytest.raises(simulated.NotAnswered, match="did not answer"):
        simulated.Finger(path, patience_s=0.1).lay(UID)


def test_a_machine_that_ends_leaves_the_outcome_open(path, pool) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    laying = pool.submit(simulated.Finger(path).lay, UID)
    listener.accept()[0].close()
    listener.close()
    with pytest.raises(simulated.NotAnswered):
        laying.result(5)


def test_no_refusal_shows_the_uid(reader, path, pool) -> None:
    taken(pool.submit(simulated.Finger(path).break_reader), reader)
    laying = pool.submit(simulated.Finger(path).lay, UID)
    reader.read(0.2)
    assert UID.hex() not in str(laying.exception(5)).lower()


def test_the_socket_a_killed_machine_left_is_taken_over(path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    simulated.SimulatedReader(path).close()
    assert not path.exists()


def test_a_socket_in_use_is_not_taken_over(reader, path) -> None:
    with pytest.raises(BadReaderAddress, match="cannot listen"):
        simulated.SimulatedReader(path)


def test_a_file_is_never_removed(path) -> None:
    path.write_text("precious")
    with pytest.raises(BadReaderAddress):
        simulated.SimulatedReader(path)
    assert path.read_text() == "precious"


def test_only_the_machines_own_user_may_lay_cards(reader, path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_several_fingers_at_once_are_all_served(reader, path, pool) -> None:
    cards = [bytes([4, 0, 0, number]) for number in range(4)]
    laying = [pool.submit(simulated.Finger(path).lay, card) for card in cards]
    read = {reader.read(5) for _ in cards}
    assert read == {CardRead(card) for card in cards}
    for order in laying:
        order.result(5)
    assert threading.active_count() < 10


def test_cards_laid_on_in_turn_are_read_in_their_order(reader, path, pool) -> None:
    uids = [bytes([4, number, 0, 0]) for number in range(5)]
    laying = pool.submit(lambda: sum(1 for _ in simulated.Finger(path).lay_in_turn(uids)))
    assert [reader.read(5) for _ in uids] == [CardRead(uid) for uid in uids]
    assert laying.result(5) == len(uids)


def test_of_cards_laid_on_in_turn_a_machine_that_ends_leaves_one_in_doubt(reader, path, pool) -> None:
    taken: list[None] = []

    def lay() -> None:
        taken.extend(simulated.Finger(path).lay_in_turn([UID] * 5))

    laying = pool.submit(lay)
    assert reader.read(5) == CardRead(UID) == reader.read(5)
    reader.close()
    with pytest.raises(simulated.NotAnswered):
        laying.result(5)
    assert len(taken) == 2
