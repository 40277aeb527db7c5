"""What the answers and states of PC/SC mean, without a reader."""

import pytest

pcsc = pytest.importorskip("edge.readers.pcsc", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")

from edge.readers import CardRead, TryAgain, Unusable  # noqa: E402 - only with pyscard

UID = bytes.fromhex("04A1B2C3D4E5F6")
PRESENT, CHANGED, IN_USE, EMPTY = 0x20, 0x02, 0x100, 0x10

ANSWERS = [
    pytest.param("04A1B2C3D4E5F69000", CardRead(UID), id="a number"),
    pytest.param("04A1B2C3D4E5F66282", CardRead(UID), id="a number, shorter than asked for"),
    pytest.param("08A1B2C39000", Unusable("the card shows a random number at each contact"), id="a random number"),
    pytest.param("", TryAgain("the card was taken away while it was read"), id="torn: success without an answer"),
    pytest.param("90", TryAgain("the card was taken away while it was read"), id="torn: one byte"),
    pytest.param("9000", TryAgain("the card's answer was cut short"), id="success without a number"),
    pytest.param("6282", TryAgain("the card's answer was cut short"), id="the end before any number"),
    pytest.param("6300", TryAgain("the reader answered 6300"), id="failed"),
    pytest.param("6F00", TryAgain("the reader answered 6F00"), id="anything else"),
    pytest.param("6A81", Unusable("the reader cannot give the number of this kind of card"), id="unsupported"),
    pytest.param("6D00", Unusable("the reader cannot give the number of this kind of card"), id="unknown command"),
    pytest.param("6E00", Unusable("the reader cannot give the number of this kind of card"), id="unknown class"),
    pytest.param("6107", pcsc.Resend(bytes.fromhex("FFC0000007")), id="more to fetch"),
    pytest.param("6C07", pcsc.Resend(bytes.fromhex("FFCA000007")), id="another length wanted"),
]


@pytest.mark.parametrize(("answer", "meaning"), ANSWERS)
def test_an_answer_means_one_thing(answer: str, meaning: object) -> None:
    assert pcsc.interpret(bytes.fromhex(answer)) == meaning


def counted(events: int, flags: int) -> int:
    return events << 16 | flags


STATES = [
    pytest.param(0, counted(0, EMPTY | CHANGED), False, id="nothing lies there at start"),
    pytest.param(0, counted(3, PRESENT | CHANGED), True, id="a card lies there at start"),
    pytest.param(counted(3, EMPTY), counted(4, PRESENT | CHANGED), True, id="laid on"),
    pytest.param(counted(4, PRESENT), counted(5, EMPTY | CHANGED), False, id="taken away"),
    pytest.param(counted(4, PRESENT), counted(4, PRESENT | IN_USE | CHANGED), False, id="we use it ourselves"),
    pytest.param(counted(4, PRESENT), counted(6, PRESENT | CHANGED), True, id="swapped within one poll"),
    pytest.param(counted(0xFFFF, PRESENT), counted(1, PRESENT), True, id="swapped while the counter wraps"),
]


@pytest.mark.parametrize(("before", "now", "is_new"), STATES)
def test_a_card_is_new_when_it_appeared_or_the_counter_moved(before: int, now: int, is_new: bool) -> None:
    assert pcsc.is_new_card(before, now) is is_new


READERS = [
    "ACS ACR122U PICC Interface 00 00",
    "ACS ACR1252 1S CL Reader [ACR1252 Reader PICC] 01 00",
    "ACS ACR1252 1S CL Reader [ACR1252 Reader SAM] 01 01",
    "Samsung Contactless 02 00",
]


def test_every_reader_is_watched_but_the_slots_for_security_modules() -> None:
    assert pcsc.watched(READERS, "") == [READERS[0], READERS[1], READERS[3]]


def test_a_name_picks_the_readers_that_contain_it() -> None:
    assert pcsc.watched(READERS, "acr122u") == [READERS[0]]
    assert pcsc.watched(READERS, "1252 Reader SAM") == [READERS[2]]
    assert pcsc.watched(READERS, "Omnikey") == []
