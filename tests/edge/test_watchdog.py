"""systemd hears from us only while every thread lives."""

import os
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

from edge import watchdog

PATIENCE = {"reader": 10.0, "sender": 60.0}

LATE = [
    pytest.param({"reader": 100.0, "sender": 100.0}, 100.0, [], id="both just beat"),
    pytest.param({"reader": 90.0, "sender": 40.0}, 100.0, [], id="both exactly at the end of patience"),
    pytest.param({"reader": 89.9, "sender": 100.0}, 100.0, ["reader"], id="the reader hangs"),
    pytest.param({"reader": 100.0, "sender": 39.9}, 100.0, ["sender"], id="the sender hangs"),
    pytest.param({"sender": 0.0, "reader": 0.0}, 100.0, ["reader", "sender"], id="both hang"),
]


@pytest.mark.parametrize(("beats", "now", "late"), LATE)
def test_a_thread_is_late_once_its_patience_is_over(beats: dict[str, float], now: float, late: list[str]) -> None:
    assert watchdog.late_threads(beats, PATIENCE, now) == late


INTERVALS = [
    ("30000000", timedelta(seconds=10)),
    ("", None),
    (None, None),
    ("0", None),
    ("-5", None),
    ("soon", None),
]


@pytest.mark.parametrize(("usec", "interval"), INTERVALS)
def test_systemd_is_pinged_three_times_as_often_as_it_asks(usec: str | None, interval: timedelta | None) -> None:
    assert watchdog.ping_interval(usec) == interval


class Stopwatch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def dog(watch, said) -> watchdog.Watchdog:
    return watchdog.Watchdog(PATIENCE, notify=said.append, monotonic=watch)


def test_a_thread_that_never_beat_is_late_after_its_patience_not_before(dog, watch, said) -> None:
    watch.now = 10
    assert dog.check() == []
    watch.now = 10.1
    assert dog.check() == ["reader"]
    assert said == ["WATCHDOG=1"]


def test_patience_begins_anew_when_the_machine_is_ready(dog, watch, said) -> None:
    watch.now = 50
    dog.ready()
    assert dog.check() == []
    assert said == ["READY=1", "WATCHDOG=1"]


def test_a_hanging_thread_stops_the_pings_and_its_return_starts_them(dog, watch, said, caplog) -> None:
    caplog.set_level("INFO")
    for watch.now in (5, 20, 25):
        dog.beat("sender")
        dog.check()
    dog.beat("reader")
    dog.check()
    assert said == ["WATCHDOG=1", "WATCHDOG=1"]
    assert [(record.levelname, record.action) for record in caplog.records] == [
        ("ERROR", "thread_late"),
        ("INFO", "threads_recovered"),
    ]
    assert caplog.records[0].threads == ["reader"]


def test_a_beat_under_an_unknown_name_is_a_mistake(dog) -> None:
    with pytest.raises(KeyError, match="raeder"):
        dog.beat("raeder")


def test_the_status_is_one_line_of_bounded_length(dog, said) -> None:
    dog.say("12 tersimpan\n3 menunggu")
    dog.say("x" * 1000)
    assert said == ["STATUS=12 tersimpan 3 menunggu", "STATUS=" + "x" * watchdog.MAX_STATUS]


def test_it_checks_until_it_is_stopped(dog, said) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=dog.run, args=(timedelta(milliseconds=1), stop))
    thread.start()
    while len(said) < 3:
        stop.wait(0.001)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert set(said) == {"WATCHDOG=1"}


def test_without_systemd_nothing_is_said_to_anybody() -> None:
    watchdog.systemd_notify({})("READY=1")


def test_systemd_hears_every_letter(tmp_path) -> None:
    program = "from edge import watchdog; watchdog.systemd_notify()('STATUS=TERSIMPAN — 3 menunggu')"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        environ = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        subprocess.run([sys.executable, "-c", program], env=environ, check=True)
        assert systemd.recv(1000).decode("utf-8") == "STATUS=TERSIMPAN — 3 menunggu"
