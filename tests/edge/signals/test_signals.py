"""The words, and several outputs as one."""

import logging

import pytest

from edge import signals
from edge.signals import WORDINGS, Signal, SignalFailed

OFFICIAL = [
    (Signal.CONFIRMED, "VALIDASI BERHASIL"),
    (Signal.STORED, "TERSIMPAN"),
    (Signal.STORED_OFFLINE, "TERSIMPAN — akan dikirim saat jaringan pulih"),
    (Signal.UNKNOWN_CARD, "KARTU BELUM TERDAFTAR — hubungi petugas UPRS"),
    (Signal.FAULT, "MESIN TERGANGGU"),
]


class Voice:
    """An output that remembers, or fails as told."""

    def __init__(self) -> None:
        self.said: list[tuple[Signal, int | None]] = []
        self.failure: Exception | None = None
        self.is_closed = False

    def show(self, signal: Signal, *, seq: int | None = None) -> None:
        if self.failure:
            raise self.failure
        self.said.append((signal, seq))

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(("signal", "words"), OFFICIAL)
def test_the_official_words_are_used_to_the_letter(signal: Signal, words: str) -> None:
    assert str(WORDINGS[signal]) == words


def test_every_signal_has_words_and_no_two_have_the_same() -> None:
    assert set(WORDINGS) == set(Signal)
    assert len({str(wording) for wording in WORDINGS.values()}) == len(Signal)


def test_every_headline_is_in_capitals() -> None:
    assert all(wording.headline == wording.headline.upper() for wording in WORDINGS.values())


def test_all_outputs_say_the_same() -> None:
    first, second = Voice(), Voice()
    signals.Chorus([first, second]).show(Signal.STORED, seq=7)
    assert first.said == second.said == [(Signal.STORED, 7)]


@pytest.mark.parametrize("failure", [SignalFailed("the lamp is gone"), RuntimeError("a mistake of ours")])
def test_an_output_that_fails_stops_neither_the_tap_nor_the_others(failure: Exception) -> None:
    broken, sound = Voice(), Voice()
    broken.failure = failure
    signals.Chorus([broken, sound]).show(Signal.REFUSED)
    assert sound.said == [(Signal.REFUSED, None)]


def test_a_failing_output_is_reported_once_until_it_works_again(caplog) -> None:
    voice = Voice()
    chorus = signals.Chorus([voice])
    for failure in (SignalFailed("x"), SignalFailed("x"), None, SignalFailed("x")):
        voice.failure = failure
        chorus.show(Signal.READY)
    assert [(record.levelno, record.action) for record in caplog.records] == [(logging.WARNING, "signal_failed")] * 2


def test_closing_closes_all() -> None:
    voices = [Voice(), Voice()]
    signals.Chorus(voices).close()
    assert all(voice.is_closed for voice in voices)


def test_several_outputs_are_opened_from_one_list(capsys) -> None:
    opened = signals.open_signals("console: , console:json")
    opened.show(Signal.STORED, seq=3)
    assert capsys.readouterr().out == 'TERSIMPAN\n{"signal": "stored", "seq": 3}\n'


def test_no_output_at_all_is_allowed() -> None:
    signals.open_signals("").show(Signal.READY)


@pytest.mark.parametrize("addresses", ["console", "console:xml", "lamp:", "console:,buzzer:"])
def test_an_address_that_names_no_output_is_refused_with_the_ones_that_do(addresses: str) -> None:
    with pytest.raises(signals.BadSignalAddress, match="use console:, console:json, acr122: or acr122:NAME"):
        signals.open_signals(addresses)
