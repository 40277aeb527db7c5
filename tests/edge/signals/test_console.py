"""Signals as lines."""

import io
import json
import threading
import time

import pytest

from edge.signals import Signal, SignalFailed, console


def test_a_person_reads_words() -> None:
    stream = io.StringIO()
    console.ConsoleSignals(stream).show(Signal.UNKNOWN_CARD, seq=4)
    assert stream.getvalue() == "KARTU BELUM TERDAFTAR — hubungi petugas UPRS\n"


@pytest.mark.parametrize("signal", Signal)
def test_a_program_reads_one_object_a_line(signal: Signal) -> None:
    stream = io.StringIO()
    console.ConsoleSignals(stream, as_json=True).show(signal, seq=12)
    said = json.loads(stream.getvalue())
    assert said == {"signal": signal.value, "seq": 12}
    assert Signal(said["signal"]) is signal


def test_a_signal_about_no_tap_has_no_number() -> None:
    stream = io.StringIO()
    console.ConsoleSignals(stream, as_json=True).show(Signal.FAULT)
    assert json.loads(stream.getvalue())["seq"] is None


def test_a_line_is_out_at_once(tmp_path) -> None:
    with (tmp_path / "said").open("w", encoding="utf-8") as stream:
        console.ConsoleSignals(stream).show(Signal.STORED)
        assert (tmp_path / "said").read_text("utf-8") == "TERSIMPAN\n"


def test_a_closed_stream_is_a_failed_signal() -> None:
    stream = io.StringIO()
    stream.close()
    with pytest.raises(SignalFailed, match="nobody sees"):
        console.ConsoleSignals(stream).show(Signal.STORED)


def test_a_terminal_that_cannot_write_the_words_is_a_failed_signal() -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with pytest.raises(SignalFailed):
        console.ConsoleSignals(ascii_only).show(Signal.STORED_OFFLINE)


class SlowStream(io.StringIO):
    """Takes a line in two halves and lets others run in between."""

    def write(self, text: str) -> int:
        super().write(text[:3])
        time.sleep(0.001)
        return super().write(text[3:])


def test_lines_of_several_threads_do_not_mix() -> None:
    stream = SlowStream()
    voice = console.ConsoleSignals(stream, as_json=True)
    threads = [threading.Thread(target=lambda: [voice.show(Signal.STORED, seq=n) for n in range(10)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in stream.getvalue().splitlines()]) == 40
