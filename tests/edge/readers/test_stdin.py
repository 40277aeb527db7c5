"""Cards typed or scanned in."""

import os
import termios

import pytest

from edge.readers import CardRead, ReaderFault, ReaderOk, TryAgain, Unusable, stdin

UID = bytes.fromhex("04A1B2C3D4E5F6")

LINES = [
    pytest.param("04A1B2C3D4E5F6", CardRead(UID), id="plain"),
    pytest.param("04a1b2c3d4e5f6\r", CardRead(UID), id="lower case, carriage return"),
    pytest.param(" 04:A1-B2 C3:D4:E5:F6 ", CardRead(UID), id="parted by colons, dashes, spaces"),
    pytest.param("04A1B2C3D4E5F", TryAgain("the line is not a card number in hexadecimal"), id="a digit is missing"),
    pytest.param("halo", TryAgain("the line is not a card number in hexadecimal"), id="words"),
    pytest.param("0412345678", Unusable("a card number of 5 bytes is of no known kind"), id="a decimal number"),
]


@pytest.mark.parametrize(("line", "reading"), LINES)
def test_a_line_is_a_reading(line: str, reading: object) -> None:
    assert stdin.parse(line) == reading


@pytest.fixture
def pipe():
    ends = list(os.pipe())
    yield ends
    for end in ends:
        os.close(end)


def test_lines_are_put_together_from_pieces(pipe) -> None:
    reader = stdin.StdinReader(pipe[0])
    assert reader.read(0) == ReaderOk()
    os.write(pipe[1], b"04A1B2")
    assert reader.read(0.02) is None
    os.write(pipe[1], b"C3D4E5F6\n\n01020304\n")
    assert [reader.read(1), reader.read(0)] == [CardRead(UID), CardRead(b"\1\2\3\4")]


def test_the_end_of_the_input_is_a_fault_said_once(pipe) -> None:
    reader = stdin.StdinReader(pipe[0])
    reader.read(0)
    os.close(pipe.pop())
    assert isinstance(reader.read(1), ReaderFault)
    assert [reader.read(0.01), reader.read(0.01)] == [None, None]


def test_a_terminal_that_hangs_up_is_a_fault() -> None:
    ours, theirs = os.openpty()
    try:
        reader = stdin.StdinReader(ours)
        reader.read(0)
        os.close(theirs)
        assert isinstance(reader.read(1), ReaderFault)
    finally:
        os.close(ours)
        reader.close()


def test_bytes_that_are_no_text_only_mean_try_again(pipe) -> None:
    reader = stdin.StdinReader(pipe[0])
    reader.read(0)
    os.write(pipe[1], b"\xff\x00\xfe\n")
    assert isinstance(reader.read(1), TryAgain)


def test_an_endless_line_does_not_fill_the_memory(pipe) -> None:
    reader = stdin.StdinReader(pipe[0])
    reader.read(0)
    for _ in range(20):
        os.write(pipe[1], b"0" * 4096)
        reader.read(1)
    assert len(reader._rest) <= stdin.MAX_LINE
    os.write(pipe[1], b"\n01020304\n")
    assert isinstance(reader.read(1), Unusable | TryAgain)
    assert reader.read(0) == CardRead(b"\1\2\3\4")


def test_a_terminal_does_not_show_what_is_typed_until_the_reader_is_closed() -> None:
    ours, theirs = os.openpty()
    try:
        reader = stdin.StdinReader(theirs)
        assert not termios.tcgetattr(theirs)[3] & termios.ECHO
        os.write(ours, b"04A1B2C3D4E5F6\n")
        assert [reader.read(1), reader.read(1)] == [ReaderOk(), CardRead(UID)]
        reader.close()
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
    finally:
        os.close(ours)
        os.close(theirs)
