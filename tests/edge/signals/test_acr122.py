"""The lamp and buzzer: the bytes, and that a slow or missing lamp holds nobody up."""

import threading
import time

import pytest

acr122 = pytest.importorskip("edge.signals.acr122", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")

from edge.signals import Signal, SignalFailed  # noqa: E402 - only with pyscard

LONGEST_S = 0.7  # the reader reads no card meanwhile
SILENT = {Signal.READY, Signal.READY_OFFLINE, Signal.CONFIRMED}


def sound(command: bytes) -> bool:
    return command[7] > 0 and command[8] > 0


def test_every_signal_has_a_pattern() -> None:
    assert set(acr122.PATTERNS) == set(Signal)


@pytest.mark.parametrize("signal", Signal)
def test_every_command_has_the_form_of_the_manual(signal: Signal) -> None:
    command = acr122.PATTERNS[signal].command()
    assert command[:3] + command[4:5] == bytes.fromhex("FF004004")
    assert len(command) == 9
    assert command[3] & 0b1100 == 0b1100, "both lights are set, whatever they showed before"


@pytest.mark.parametrize("signal", Signal)
def test_no_pattern_keeps_the_reader_from_reading_for_long(signal: Signal) -> None:
    _, on, off, times, _ = acr122.PATTERNS[signal].command()[4:9]
    assert (on + off) * times / 10 <= LONGEST_S


@pytest.mark.parametrize("signal", [each for each in Signal if each not in SILENT], ids=lambda signal: signal.value)
def test_whatever_answers_a_tap_can_be_heard(signal: Signal) -> None:
    assert sound(acr122.PATTERNS[signal].command())


@pytest.mark.parametrize("signal", [each for each in Signal if each in SILENT], ids=lambda signal: signal.value)
def test_what_answers_no_tap_is_silent(signal: Signal) -> None:
    assert not sound(acr122.PATTERNS[signal].command())


def test_the_bytes_of_three_red_beeps() -> None:
    assert acr122.PATTERNS[Signal.REFUSED].command().hex() == "ff00405d0401010301"


class Lamp:
    """Takes commands when allowed to, or fails as told."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.entered = threading.Event()
        self.failure: SignalFailed | None = None

    def __call__(self, command: bytes) -> None:
        self.entered.set()
        self.may_go_on.wait(5)
        self.given.append(command)
        if self.failure:
            raise self.failure


def commands(*wanted: Signal) -> list[bytes]:
    return [acr122.PATTERNS[signal].command() for signal in wanted]


def test_signals_are_given_in_order_and_all_before_closing() -> None:
    lamp = Lamp()
    voice = acr122.Acr122Signals(lamp)
    for signal in (Signal.STORED, Signal.CONFIRMED, Signal.READY):
        voice.show(signal, seq=1)
    voice.close()
    assert lamp.given == commands(Signal.STORED, Signal.CONFIRMED, Signal.READY)


def test_an_idle_lamp_closes_at_once() -> None:
    voice = acr122.Acr122Signals(Lamp())
    began = time.monotonic()
    voice.close()
    assert time.monotonic() - began < 1


def test_a_hanging_lamp_holds_nobody_up_and_shows_the_newest_afterwards() -> None:
    lamp = Lamp()
    lamp.may_go_on.clear()
    voice = acr122.Acr122Signals(lamp)
    voice.show(Signal.STORED)
    lamp.entered.wait(5)
    began = time.monotonic()
    for _ in range(1000):
        voice.show(Signal.TRY_AGAIN)
    voice.show(Signal.READY)
    assert time.monotonic() - began < 1
    lamp.may_go_on.set()
    voice.close()
    assert len(lamp.given) == 1 + acr122.BACKLOG
    assert lamp.given[-1:] == commands(Signal.READY)


def test_a_silent_lamp_is_reported_once_until_it_works_again(caplog) -> None:
    lamp = Lamp()
    voice = acr122.Acr122Signals(lamp)
    for failure in (SignalFailed("no reader"), SignalFailed("no reader"), None, SignalFailed("no reader")):
        lamp.failure = failure
        voice.show(Signal.READY)
        until = time.monotonic() + 5
        count = len(lamp.given)
        while len(lamp.given) == count and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.02)
    voice.close()
    assert [record.action for record in caplog.records] == ["lamp_silent"] * 2
