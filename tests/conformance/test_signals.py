"""What every output of signals keeps to."""

import io
import logging
import threading
import time
from collections.abc import Callable

import pytest

from edge import signals
from edge.signals import Signal, SignalFailed, Signals, console


def words() -> Signals:
    return console.ConsoleSignals(io.StringIO())


def objects() -> Signals:
    return console.ConsoleSignals(io.StringIO(), as_json=True)


def lamp() -> Signals:
    acr122 = pytest.importorskip("edge.signals.acr122", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")
    return acr122.Acr122Signals(lambda command: None)


def lamp_without_reader() -> Signals:
    acr122 = pytest.importorskip("edge.signals.acr122", reason="pyscard is missing: pip install 'hadir[edge,pcsc]'")

    def fail(command: bytes) -> None:
        raise SignalFailed("no reader is plugged in")

    return acr122.Acr122Signals(fail)


def several() -> Signals:
    return signals.Chorus([words(), objects()])


@pytest.fixture(params=[words, objects, lamp, lamp_without_reader, several], ids=lambda make: make.__name__)
def subject(request: pytest.FixtureRequest):
    make: Callable[[], Signals] = request.param
    voice = make()
    yield voice
    voice.close()


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_can_be_given_with_and_without_a_number(subject, signal) -> None:
    subject.show(signal)
    subject.show(signal, seq=2**63 - 1)


def test_giving_a_signal_takes_no_time(subject) -> None:
    began = time.monotonic()
    for _ in range(100):
        subject.show(Signal.STORED, seq=1)
    assert time.monotonic() - began < 1


def test_any_thread_may_give_one(subject) -> None:
    failures: list[BaseException] = []

    def give() -> None:
        try:
            for _ in range(50):
                subject.show(Signal.CONFIRMED, seq=1)
        except BaseException as failure:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(failure)

    threads = [threading.Thread(target=give) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert failures == []


def test_closing_twice_is_harmless(subject) -> None:
    subject.close()
    subject.close()


def test_nothing_is_logged_per_tap(subject, caplog) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(20):
        subject.show(Signal.STORED, seq=1)
    subject.close()
    assert len(caplog.records) <= 1
