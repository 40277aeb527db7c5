import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from smartcard import scard

from demo.servers import virtual_card
from demo.servers.pcscd import Pcscd
from demo.servers.process import ServerFailed
from demo.servers.virtual_card import Faults

UID = bytes.fromhex("04A1B2C3D4E5F6")
OTHER = bytes.fromhex("11223344")
GET_UID = [0xFF, 0xCA, 0, 0, 0]


class Client:
    """A plain PC/SC program that looks at one reader."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        code, self.context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        assert code == scard.SCARD_S_SUCCESS

    def close(self) -> None:
        scard.SCardReleaseContext(self.context)

    def is_present(self) -> bool:
        _, states = scard.SCardGetStatusChange(self.context, 0, [(self.reader, scard.SCARD_STATE_UNAWARE)])
        return bool(states and states[0][1] & scard.SCARD_STATE_PRESENT)

    def sees(self, present: bool, patience: float = 3.0) -> bool:
        give_up = time.monotonic() + patience
        while time.monotonic() < give_up:
            if self.is_present() == present:
                return True
            time.sleep(0.02)
        return False

    def ask(self, apdu: list[int]) -> bytes:
        code, card, protocol = scard.SCardConnect(self.context, self.reader, scard.SCARD_SHARE_SHARED, 3)
        assert code == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(code)
        _, response = scard.SCardTransmit(card, protocol, apdu)
        scard.SCardDisconnect(card, scard.SCARD_LEAVE_CARD)
        return bytes(response)


@pytest.fixture
def client(pcscd: Pcscd) -> Iterator[Client]:
    client = Client(pcscd.reader)
    yield client
    client.close()


@pytest.mark.integration
@pytest.mark.parametrize("uid", [OTHER, UID, bytes(range(10))], ids=["4 bytes", "7 bytes", "10 bytes"])
def test_a_card_laid_down_is_read_and_a_card_taken_away_is_gone(pcscd: Pcscd, client: Client, uid: bytes) -> None:
    assert not client.is_present()
    with pcscd.card(uid):
        assert client.sees(True)
        assert client.ask(GET_UID) == uid + virtual_card.SUCCESS
    assert client.sees(False)


@pytest.mark.integration
def test_a_read_is_not_held_up_by_the_network_stack(pcscd: Pcscd, client: Client) -> None:
    with pcscd.card(UID):
        assert client.sees(True)
        client.ask(GET_UID)
        began = time.monotonic()
        client.ask(GET_UID)
        assert time.monotonic() - began < 0.03


@pytest.mark.integration
def test_a_card_may_refuse(pcscd: Pcscd, client: Client) -> None:
    with pcscd.card(UID, sw=virtual_card.FAILED):
        assert client.sees(True)
        assert client.ask(GET_UID) == virtual_card.FAILED


@pytest.mark.integration
def test_a_card_torn_away_during_the_read_gives_an_empty_answer_and_is_gone(pcscd: Pcscd, client: Client) -> None:
    with pcscd.card(UID, tear=True):
        assert client.sees(True)
        assert client.ask(GET_UID) == b""
        assert client.sees(False)


@pytest.mark.integration
def test_a_slow_card_answers_late(pcscd: Pcscd, client: Client) -> None:
    with pcscd.card(UID, delay=timedelta(seconds=0.3)):
        assert client.sees(True)
        began = time.monotonic()
        assert client.ask(GET_UID) == UID + virtual_card.SUCCESS
        assert time.monotonic() - began >= 0.3


@pytest.mark.integration
def test_a_mute_card_holds_the_reader_until_it_is_taken_away(pcscd: Pcscd, client: Client) -> None:
    card = pcscd.card(UID, mute=True)
    card.insert()
    assert client.sees(True)
    threading.Timer(0.5, card.remove).start()
    began = time.monotonic()
    assert client.ask(GET_UID) == b""
    assert time.monotonic() - began >= 0.4
    with pcscd.card(OTHER):
        assert client.sees(True)
        assert client.ask(GET_UID) == OTHER + virtual_card.SUCCESS


@pytest.mark.integration
def test_after_a_kill_a_new_client_reads_the_next_card(pcscd: Pcscd) -> None:
    pcscd.kill()
    pcscd.start()
    pcscd.restart()
    client = Client(pcscd.reader)
    with pcscd.card(UID):
        assert client.sees(True)
        assert client.ask(GET_UID) == UID + virtual_card.SUCCESS
    client.close()


@pytest.mark.integration
def test_two_of_them_do_not_see_each_others_cards(pcscd: Pcscd, client: Client, tmp_path: Path) -> None:
    with Pcscd(tmp_path / "second") as second, second.card(OTHER):
        assert not client.sees(True, patience=1.0)


@pytest.mark.integration
def test_a_folder_too_deep_for_a_socket_says_so(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="shorter folder"):
        Pcscd(tmp_path / ("x" * 100))


def test_only_the_question_for_the_uid_is_answered() -> None:
    assert virtual_card.answer(bytes(GET_UID), UID, virtual_card.SUCCESS) == UID + virtual_card.SUCCESS
    assert virtual_card.answer(bytes(GET_UID), UID, virtual_card.UNSUPPORTED) == virtual_card.UNSUPPORTED
    assert virtual_card.answer(bytes.fromhex("FF00000000"), UID, virtual_card.SUCCESS) == bytes.fromhex("6D00")


def test_a_card_without_faults_has_none() -> None:
    assert Faults() == Faults(sw=virtual_card.SUCCESS, tear=False, mute=False, delay=timedelta(0))
