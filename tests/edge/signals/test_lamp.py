"""The lamp over a real pcscd: a reader that lets its LED command pass beside a card, and those that do not."""

import pytest

acr122 = pytest.importorskip("edge.signals.acr122", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")

from demo.servers.pcscd import Pcscd  # noqa: E402 - only with pyscard
from demo.servers.virtual_card import VirtualCard  # noqa: E402
from edge.readers import pcsc  # noqa: E402
from edge.signals import Signal, SignalFailed  # noqa: E402

pytestmark = pytest.mark.integration

COMMAND = acr122.PATTERNS[Signal.STORED].command()
UID = bytes.fromhex("04A1B2C3D4E5F6")


class ObligingCard(VirtualCard):
    """Answers the LED command as the reader would: 90 and the state of its lights."""

    def _reply(self, message: bytes) -> bytes | None:
        return b"\x90\x02" if message.startswith(b"\xff\x00\x40") else super()._reply(message)


def laid_on(card: VirtualCard) -> VirtualCard:
    """*card*, once pcscd has noticed it."""
    card.insert()
    reader = pcsc.PcscReader()
    while not isinstance(reader.read(1), pcsc.CardRead):
        pass
    reader.close()
    return card


def test_beside_a_card_the_command_reaches_the_reader(pcscd: Pcscd) -> None:
    card = laid_on(ObligingCard(UID, port=pcscd.port))
    acr122.send(pcscd.reader, COMMAND)
    card.remove()


def test_a_reader_that_does_not_know_the_command_stays_silent(pcscd: Pcscd) -> None:
    card = laid_on(pcscd.card(UID))
    with pytest.raises(SignalFailed, match="ifdDriverOptions"):
        acr122.send(pcscd.reader, COMMAND)
    card.remove()


def test_without_a_card_a_driver_that_allows_no_escape_leaves_it_silent(pcscd: Pcscd) -> None:
    with pytest.raises(SignalFailed, match="takes no LED command"):
        acr122.send(pcscd.reader, COMMAND)


def test_without_an_acr122_there_is_no_lamp(pcscd: Pcscd) -> None:
    with pytest.raises(SignalFailed, match="no reader called ACR122"):
        acr122.send(acr122.DEFAULT_NAME, COMMAND)


def test_without_pcscd_there_is_no_lamp(pcscd: Pcscd) -> None:
    pcscd.stop()
    with pytest.raises(SignalFailed, match="pcscd does not answer"):
        acr122.send(acr122.DEFAULT_NAME, COMMAND)


def test_a_missing_lamp_is_reported_and_carries_on(pcscd: Pcscd, caplog) -> None:
    voice = acr122.open_acr122("")
    voice.show(Signal.STORED, seq=1)
    voice.show(Signal.READY)
    voice.close()
    assert [record.action for record in caplog.records] == ["lamp_silent"]
