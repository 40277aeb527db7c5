"""Threads that end together."""

import logging
import threading

from edge.service import Lines, Threads


def test_a_thread_that_breaks_ends_them_all(caplog) -> None:
    threads = Threads()

    def broken() -> None:
        raise RuntimeError("a fault nobody foresaw")

    threads.start({"reader": broken, "sender": threads.stop.wait})
    assert threads.stop.wait(5)
    threads.join("reader", "sender")
    assert threads.has_failed
    assert [record.action for record in caplog.records] == ["thread_broke"]


def test_a_quiet_end_is_no_failure() -> None:
    threads = Threads()
    threads.start({"sender": threads.stop.wait})
    threads.stop.set()
    threads.join("sender")
    assert not threads.has_failed
    assert not threads.is_hung("sender")


def test_a_thread_that_does_not_end_is_known_to_hang() -> None:
    threads, release = Threads(), threading.Event()
    threads.start({"reader": release.wait})
    threads.stop.set()
    assert threads.is_hung("reader")
    release.set()
    threads.join("reader")


def test_a_log_line_ends_with_its_stable_word() -> None:
    record = logging.LogRecord("edge", logging.INFO, __file__, 1, "Connected", None, None)
    record.action = "connected"
    assert Lines("%(message)s").format(record) == "Connected [connected]"
