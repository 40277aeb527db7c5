"""`hadir-edge`: the machine's program. Here everything is wired, and only here."""

import fcntl
import logging
import os
import queue
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from contract import codec
from contract.cards import SealingKey
from edge import clock as clocks
from edge import doctor as doctors
from edge import machine as machines
from edge import readers, signals, watchdog
from edge.clock import BadClockAddress
from edge.dating import Dating
from edge.doctor import Finding, LineState, Verdict
from edge.health import Condition, Health
from edge.link import Address, Link
from edge.machine import Machine
from edge.outbox import Limits, Outbox, OutboxBroken, OutboxUnavailable, open_beside, open_outbox
from edge.pacing import Pacer, Policy
from edge.readers import BadReaderAddress
from edge.sender import Inbox, Sender, Woken
from edge.service import Threads, log_to_stderr
from edge.settings import BadSettings, Settings
from edge.signals import BadSignalAddress, Signal, Signals
from edge.station import Station
from edge.taps import Answer

_log = logging.getLogger("edge")

PATIENCE_S: Final = {"reader": 30.0, "sender": 60.0, "link": 300.0, "health": 60.0}
"""How long each thread may show no life before systemd starts the program anew. The link: asking a dead name server,
trying each address and a handshake that stalls add up to minutes, and a start would mend none of it."""
GOODBYE_S: Final = 3.0
RETRY_S: Final = 10.0
DAY_MS: Final = 24 * 3_600_000


class AlreadyRunning(click.ClickException):
    """Another program works with this outbox."""


@click.group()
def main() -> None:
    """Mesin presensi Hadir: the program on each machine."""


@main.command()
def run() -> None:
    """Serve residents until told to stop (SIGTERM)."""
    settings = _settings()
    log_to_stderr(settings.log_level)
    threads = Threads()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threads.stop.set())
    with sole_user(settings.outbox):
        sys.exit(_serve(settings, threads))


@main.command()
@click.option("--card-s", default=doctors.CARD_S, show_default=True, help="Seconds to wait for a card; 0 = no card.")
def doctor(card_s: float) -> None:
    """Say in one sentence each what works and what does not; exit 1 on a fault."""
    settings = _settings()
    logging.getLogger().addHandler(logging.NullHandler())  # the sentences say it all
    faults = 0
    for finding in _examine(settings, _clock(settings), card_s):
        click.echo(str(finding))
        faults += finding.verdict is Verdict.FAULT
    sys.exit(1 if faults else 0)


@main.command()
@click.option("--patience-s", default=300.0, show_default=True, help="How long to wait for the last confirmation.")
def retire(patience_s: float) -> None:
    """Send what is left, wait until all is confirmed, and say goodbye; exit 1 if something is left."""
    settings = _settings()
    try:
        with sole_user(settings.outbox), _online(settings, _clock(settings)) as wired:
            left = _drain(wired, patience_s)
    except OutboxUnavailable as error:
        raise click.ClickException(f"Catatan tidak dapat dibuka; periksa disk dan pemilik berkas ({error}).") from error
    if left:
        raise click.ClickException(
            f"Masih ada {left} catatan yang belum dikonfirmasi pusat; biarkan mesin tersambung dan ulangi perintah ini."
        )
    click.echo("Semua catatan sudah dikonfirmasi pusat. Mesin boleh dilepas.")


def _drain(wired: "Wired", patience_s: float) -> int:
    """Send whatever is left, the minutes of an hour that a crash cut short included; how much stays behind."""
    Health(wired.machine, wired.link, heartbeat_s=1, condition=lambda: Condition(False, 0)).close_hours(every=True)
    wired.machine.report("retired", at_once=True)
    deadline = time.monotonic() + patience_s
    while (left := wired.machine.outbox.backlog()[0]) and time.monotonic() < deadline:
        time.sleep(0.2)
    return left


def _clock(settings: Settings) -> clocks.Clock:
    try:
        return clocks.open_clock(settings.clock)
    except BadClockAddress as error:
        raise click.ClickException(f"Mesin tidak dapat dijalankan: {error}") from error


def _examine(settings: Settings, clock: clocks.Clock, card_s: float) -> Iterator[Finding]:
    """Every test, one after the other; those the machine's own service stands in the way of are left to it."""
    address = _address(settings)
    yield doctors.examine_clock(clock)
    yield doctors.examine_disk(settings.outbox)
    yield doctors.examine_name(address.host)
    yield doctors.examine_tls(address, is_clock_trusted=clock.is_trusted())
    try:
        with sole_user(settings.outbox):
            yield from _examine_reader(settings, card_s)
            with _online(settings, clock) as wired:
                yield doctors.examine_outbox(wired.machine)
                yield from doctors.examine_line(wired.machine, lambda: _line_state(wired))
    except AlreadyRunning:
        yield doctors.skipped(
            "Pembaca kartu dan hak di broker: sedang dipakai layanan hadir-edge; untuk mengujinya, hentikan layanan "
            "(systemctl stop hadir-edge) lalu ulangi."
        )
        yield from _examine_beside(settings, clock)
    except OutboxUnavailable:
        yield doctors.fault(f"Catatan: {settings.outbox} tidak dapat dibuka; periksa disk dan pemilik berkas.")


def _examine_reader(settings: Settings, card_s: float) -> Iterator[Finding]:
    try:
        reader = readers.open_reader(settings.reader)
    except BadReaderAddress as error:
        yield doctors.fault(f"Pembaca kartu: tidak dapat dibuka ({error}).")
        return
    with closing(reader):
        yield from doctors.examine_reader(
            reader, card_s=card_s, ask=lambda: click.echo("       Tempelkan kartu pada pembaca …")
        )


def _examine_beside(settings: Settings, clock: clocks.Clock) -> Iterator[Finding]:
    try:
        outbox = open_beside(settings.outbox, _limits(settings))
    except (OutboxUnavailable, OutboxBroken):
        yield doctors.fault("Catatan: berkas catatan tidak dapat dibaca; nyalakan ulang layanan hadir-edge.")
        return
    with closing(outbox):
        machine = Machine(settings.device, clock, Dating(clock), outbox, session=0, wake=lambda: None)
        yield doctors.examine_outbox(machine)
        yield doctors.examine_round_trip(machine)


def _line_state(wired: "Wired") -> LineState:
    return LineState(wired.link.is_connected, wired.sender.unreachable, wired.sender.refusal)


@contextmanager
def _online(settings: Settings, clock: clocks.Clock) -> Iterator["Wired"]:
    """Outbox, link and sender at work, without reader and screen; a goodbye at the end."""
    dating, threads = Dating(clock), Threads()
    with closing(open_outbox(settings.outbox, _limits(settings), dating.now())) as outbox:
        wired = wire(settings, clock, outbox, dating=dating, answered=lambda answer: None)
        threads.start(
            {
                "sender": lambda: wired.sender.run(wired.inbox, threads.stop.is_set, lambda: None),
                "link": wired.link.run,
            }
        )
        try:
            yield wired
        finally:
            threads.stop.set()
            wired.machine.wake()
            threads.join("sender")
            wired.link.part(codec.encode(wired.machine.goodbye()), GOODBYE_S)
            threads.join("link")


def _settings() -> Settings:
    try:
        return Settings.read()
    except BadSettings as bad:
        raise click.ClickException(f"Mesin belum disiapkan; perbaiki pengaturan ini: {bad}") from None


@contextmanager
def sole_user(outbox: Path) -> Iterator[None]:
    """Nobody else runs with this outbox meanwhile. Raises ClickException when somebody does."""
    try:
        outbox.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(outbox.with_name(outbox.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise click.ClickException(
            f"Folder {outbox.parent} tidak dapat dipakai ({error}); periksa disk dan hak aksesnya."
        ) from error
    try:
        _lock(descriptor, outbox)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, outbox: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRunning(
            f"{outbox} sedang dipakai layanan hadir-edge; hentikan dahulu (systemctl stop hadir-edge)."
        ) from None


@dataclass(frozen=True, slots=True)
class Wired:
    """The part of the program that needs no reader."""

    machine: Machine
    link: Link
    sender: Sender
    inbox: Inbox


def wire(
    settings: Settings, clock: clocks.Clock, outbox: Outbox, *, dating: Dating, answered: Callable[[Answer], None]
) -> Wired:
    """Outbox, link and sender, put together but not started."""
    inbox: Inbox = queue.SimpleQueue()
    session = outbox.begin_session()
    machine = Machine(settings.device, clock, dating, outbox, session, wake=lambda: inbox.put(Woken()))
    link = Link(
        settings.device,
        _address(settings),
        will=codec.encode(machines.will(settings.device, session)),
        is_clock_trusted=clock.is_trusted,
        report=inbox.put,
    )
    sender = Sender(
        machine,
        link,
        pacer=Pacer(_policy(settings), chance=random.random),
        clock_wait_s=settings.clock_wait_s,
        answered=answered,
    )
    return Wired(machine, link, sender, inbox)


class Answered:
    """Passes answers on to a station that is made later than the sender."""

    def __init__(self) -> None:
        self.station: Station | None = None

    def __call__(self, answer: Answer) -> None:
        if self.station is not None:
            self.station.answered(answer)


def _address(settings: Settings) -> Address:
    files = (settings.ca_file, settings.cert_file, settings.key_file)
    return Address(settings.broker_host, settings.broker_port, *files)


def _policy(settings: Settings) -> Policy:
    return Policy(
        first_ms=round(settings.resend_first_s * 1000),
        max_ms=round(settings.resend_max_s * 1000),
        park_ms=round(settings.park_s * 1000),
    )


def _limits(settings: Settings) -> Limits:
    return Limits(settings.row_budget, settings.reserve_bytes, round(settings.keep_days * DAY_MS))


def _serve(settings: Settings, threads: Threads) -> int:
    """Open everything, run until stopped, close everything; the exit code."""
    try:
        clock = clocks.open_clock(settings.clock)
        voices = signals.open_signals(settings.signals)
        key = SealingKey.parse(settings.sealing_key_file.read_text("ascii"))
        reader = readers.open_reader(settings.reader)
    except (BadClockAddress, BadSignalAddress, BadReaderAddress, OSError, ValueError) as error:
        raise click.ClickException(f"Mesin tidak dapat dijalankan: {error}") from error
    dating, answered = Dating(clock), Answered()
    with closing(reader):
        outbox = _patiently(settings, dating, voices, threads.stop)
        if outbox is None:
            return 0  # told to stop while it waited
        wired = wire(settings, clock, outbox, dating=dating, answered=answered)
        station = answered.station = Station(
            wired.machine,
            key,
            signals=voices,
            same_card_s=settings.same_card_s,
            is_online=lambda: wired.sender.is_online,
        )
        code = _run_threads(settings, threads, wired, station, reader)
        if threads.is_hung("reader"):
            _log.warning("The reader hangs and is left behind", extra={"action": "reader_hung"})
            logging.shutdown()
            os._exit(code)  # closing a reader inside `read` would hang too; all that must be written is
    outbox.close()
    voices.close()
    return code


def _patiently(settings: Settings, dating: Dating, voices: Signals, stop: threading.Event) -> Outbox | None:
    """The outbox, as soon as it can be opened; until then the screen says that the machine is out of order."""
    while not stop.is_set():
        try:
            return open_outbox(settings.outbox, _limits(settings), dating.now())
        except OutboxUnavailable as error:
            _log.error("No tap can be taken: %s", error, extra={"action": "outbox_unavailable"})
            voices.show(Signal.FAULT)
            stop.wait(RETRY_S)
    return None


def _run_threads(settings: Settings, threads: Threads, wired: Wired, station: Station, reader: readers.Reader) -> int:
    health = Health(
        wired.machine,
        wired.link,
        heartbeat_s=settings.heartbeat_s,
        condition=lambda: Condition(station.is_reader_ok, wired.sender.parked),
    )
    health.begin()
    guard = watchdog.Watchdog(PATIENCE_S, notify=watchdog.systemd_notify())
    stop = threads.stop
    threads.start(
        {
            "reader": lambda: station.run(reader, stop.is_set, lambda: guard.beat("reader")),
            "sender": lambda: wired.sender.run(wired.inbox, stop.is_set, lambda: guard.beat("sender")),
            "link": lambda: wired.link.run(lambda: guard.beat("link")),
            "health": lambda: health.run(stop.wait, lambda: _show_life(guard, wired, station)),
            "watchdog": lambda: guard.run(_ping_interval(), stop),
        }
    )
    guard.ready()
    _log.info("Session %d runs", wired.machine.session, extra={"action": "started"})
    stop.wait()
    guard.stopping()
    return _end(threads, wired, health)


def _show_life(guard: watchdog.Watchdog, wired: Wired, station: Station) -> None:
    """The health thread lives; and what `systemctl status` shows a technician."""
    guard.beat("health")
    line = "tersambung ke pusat" if wired.sender.is_online else "tidak tersambung ke pusat"
    reader = "pembaca kartu berfungsi" if station.is_reader_ok else "pembaca kartu rusak"
    guard.say(f"{line}; {reader}")


def _ping_interval() -> timedelta:
    return watchdog.ping_interval(os.environ.get("WATCHDOG_USEC")) or timedelta(seconds=20)


def _end(threads: Threads, wired: Wired, health: Health) -> int:
    """Stop taking cards, keep the hours, say goodbye."""
    wired.machine.wake()
    threads.join("reader", "sender", "health")
    if threads.has_failed:
        wired.link.stop()
        return 1
    try:
        health.end()
        wired.link.part(codec.encode(wired.machine.goodbye()), GOODBYE_S)
    except OutboxUnavailable as error:
        _log.warning("The last hour is kept for the next start: %s", error, extra={"action": "outbox_unavailable"})
        wired.link.stop()
    threads.join("link")
    _log.info("Ended in good order", extra={"action": "stopped"})
    return 0


if __name__ == "__main__":
    main()
