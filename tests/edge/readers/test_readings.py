"""What a UID is worth, and how a reader is named."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import readers
from edge.readers import CardRead, TryAgain, Unusable, simulated

LENGTHS = [
    pytest.param("", TryAgain, id="an empty answer was torn"),
    pytest.param("040102", TryAgain, id="three bytes were torn"),
    pytest.param("04010203", CardRead, id="four bytes"),
    pytest.param("88010203", CardRead, id="four bytes that start 88"),
    pytest.param("80010203", CardRead, id="four bytes that start 80 are suspect but read"),
    pytest.param("08010203", Unusable, id="four bytes that start 08 are random"),
    pytest.param("04A1B2C3D4", Unusable, id="five bytes"),
    pytest.param("04A1B2C3D4E5F6", CardRead, id="seven bytes"),
    pytest.param("08A1B2C3D4E5F6", CardRead, id="seven bytes that start 08 are not random"),
    pytest.param("0102030405060708", Unusable, id="eight bytes are another kind of tag"),
    pytest.param("0102030405060708090A", CardRead, id="ten bytes"),
    pytest.param("0102030405060708090A0B", Unusable, id="eleven bytes"),
]


@pytest.mark.parametrize(("uid", "kind"), LENGTHS)
def test_a_uid_is_judged_by_its_length_and_first_byte(uid: str, kind: type) -> None:
    assert type(readers.judge(bytes.fromhex(uid))) is kind


def test_the_bytes_stay_in_the_order_the_reader_gave_them() -> None:
    reading = readers.judge(bytes.fromhex("04A1B2C3D4E5F6"))
    assert reading == CardRead(bytes.fromhex("04A1B2C3D4E5F6"))
    assert reading != CardRead(bytes.fromhex("F6E5D4C3B2A104"))


@given(st.binary(min_size=4, max_size=11))
def test_no_reading_shows_the_uid(uid: bytes) -> None:
    shown = f"{readers.judge(uid)!r} {readers.judge(uid)}".lower()
    assert uid.hex() not in shown
    assert repr(uid) not in shown


@pytest.mark.parametrize("address", ["", "pcsc", "sim:", "sim", "stdin", "stdin:x", "usb:1", "card 04A1B2C3"])
def test_an_address_that_names_no_reader_is_refused_with_the_ones_that_do(address: str) -> None:
    with pytest.raises(readers.BadReaderAddress, match="use pcsc:, pcsc:NAME, sim:PATH or stdin:"):
        readers.open_reader(address)


def test_a_socket_that_cannot_be_made_is_a_bad_address() -> None:
    with pytest.raises(readers.BadReaderAddress, match="/nowhere/reader"):
        readers.open_reader("sim:/nowhere/reader")


def test_only_a_pcsc_reader_needs_pyscard(tmp_path) -> None:
    program = (
        "import sys; sys.modules['smartcard'] = None\n"
        "from edge import readers, signals\n"
        f"readers.open_reader('sim:{tmp_path}/reader').close()\n"
        "signals.open_signals('console:').close()\n"
        "for opening in (lambda: readers.open_reader('pcsc:'), lambda: signals.open_signals('acr122:')):\n"
        "    try: opening()\n"
        "    except ValueError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.count("hadir[edge,pcsc]") == 2


def test_a_simulated_reader_is_opened_by_its_path(tmp_path) -> None:
    reader = readers.open_reader(f"sim:{tmp_path}/reader")
    assert isinstance(reader, simulated.SimulatedReader)
    reader.close()
