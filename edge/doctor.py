"""What is wrong with this machine, in one Indonesian sentence per test, for the technician who stands before it.

Each examination looks at one thing and returns findings; none of them raises, and none prints.
"""

import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from contract.messages import Happening
from edge.clock import Clock
from edge.link import CONNECT_TIMEOUT_S, Address, tls_context
from edge.machine import Machine
from edge.outbox import OutboxBroken, OutboxUnavailable
from edge.readers import CardRead, Reader, ReaderFault, Unusable

LOW_DISK_PCT: Final = 5.0
CARD_S: Final = 20.0
GREETING_S: Final = 5.0
ANSWER_S: Final = 30.0
HOPELESS_S: Final = 4.0
"""So long the link may try again before the doctor believes that there is no connection."""
REFUSALS: Final = {
    "not_authorised": "mesin ini tidak berhak mengirim",
    "quota_exceeded": "jatah kiriman habis",
}
_POLL_S: Final = 0.1


class Verdict(Enum):
    """How one test ended; the value is what stands before its sentence."""

    GOOD = "BAIK"
    FAULT = "RUSAK"
    SKIPPED = "LEWAT"


@dataclass(frozen=True, slots=True)
class Finding:
    """The end of one test."""

    verdict: Verdict
    sentence: str

    def __str__(self) -> str:
        return f"{self.verdict.value:5}  {self.sentence}"


@dataclass(frozen=True, slots=True)
class LineState:
    """How the connection is: why there is none, and why the broker passes nothing on."""

    is_connected: bool
    unreachable: str | None
    refusal: str | None

    @property
    def is_hopeless(self) -> bool:
        """Whether no answer can come any more."""
        return (not self.is_connected and self.unreachable is not None) or self.refusal is not None


def good(sentence: str) -> Finding:
    """All is well."""
    return Finding(Verdict.GOOD, sentence)


def fault(sentence: str) -> Finding:
    """Something must be done; the sentence says what."""
    return Finding(Verdict.FAULT, sentence)


def skipped(sentence: str) -> Finding:
    """Not tested, and why."""
    return Finding(Verdict.SKIPPED, sentence)


def examine_clock(clock: Clock) -> Finding:
    """Whether the time was ever set since the machine was switched on."""
    if clock.is_trusted():
        return good("Jam: sudah disetel dari jaringan.")
    return fault(
        "Jam: belum disetel sejak mesin menyala; periksa kabel jaringan dan layanan waktu (NTP, UDP 123). "
        "Kehadiran tetap disimpan."
    )


def examine_disk(path: Path) -> Finding:
    """Whether the outbox has room to grow."""
    try:
        usage = shutil.disk_usage(path.parent)
    except OSError as error:
        return fault(
            f"Penyimpanan: folder {path.parent} tidak dapat dibaca ({error.strerror}); periksa pemasangan disk."
        )
    free = 100 * usage.free / max(usage.total, 1)
    percent = f"{free:.0f} % kosong"
    if free < LOW_DISK_PCT:
        return fault(f"Penyimpanan: hampir penuh ({percent}); hapus berkas yang tidak diperlukan.")
    return good(f"Penyimpanan: {percent}.")


def examine_outbox(machine: Machine) -> Finding:
    """Whether the outbox can be read, and how much waits in it."""
    try:
        waiting, _ = machine.outbox.backlog()
        able = machine.outbox.can_keep()
    except (OutboxUnavailable, OutboxBroken):
        return fault("Catatan: berkas catatan tidak dapat dibaca; nyalakan ulang layanan hadir-edge.")
    if not able:
        return fault(
            f"Catatan: tempat habis oleh {waiting} catatan yang belum terkirim; pulihkan jaringan lebih dahulu."
        )
    return good(f"Catatan: {waiting} catatan menunggu dikirim.")


def examine_reader(reader: Reader, *, card_s: float, ask: Callable[[], None]) -> Iterator[Finding]:
    """Whether the reader works and, with *card_s* seconds of patience after *ask*, whether it reads a card."""
    greeting = reader.read(GREETING_S)
    if greeting is None or isinstance(greeting, ReaderFault):
        reason = f" ({greeting.reason})" if isinstance(greeting, ReaderFault) else ""
        yield fault(f"Pembaca kartu: tidak berfungsi; periksa kabel USB dan layanan pcscd{reason}.")
        return
    yield good("Pembaca kartu: berfungsi.")
    if card_s <= 0:
        yield skipped("Kartu: tidak diuji.")
        return
    ask()
    yield _wait_for_card(reader, card_s)


def _wait_for_card(reader: Reader, card_s: float) -> Finding:
    deadline = time.monotonic() + card_s
    while time.monotonic() < deadline:
        match reader.read(0.5):
            case CardRead():
                return good("Kartu: terbaca.")
            case Unusable():
                return fault("Kartu: nomor kartu ini tidak dapat dipakai; coba dengan kartu lain.")
            case ReaderFault():
                return fault("Kartu: pembaca terputus saat diuji; periksa kabel USB.")
    return fault("Kartu: tidak ada kartu yang terbaca; tempelkan kartu tepat di tengah pembaca dan ulangi.")


def examine_name(host: str) -> Finding:
    """Whether the broker's name leads anywhere."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return fault(f"Nama server: {host} tidak ditemukan; periksa kabel jaringan dan DNS.")
    return good(f"Nama server: {host} ditemukan.")


def examine_tls(address: Address, *, is_clock_trusted: bool) -> Finding:
    """Whether the broker can be reached, is the right one, and takes this machine's certificate."""
    try:
        context = tls_context(address, is_clock_trusted=is_clock_trusted)
    except (OSError, ValueError):
        return fault("Sambungan aman: berkas sertifikat mesin tidak ada atau rusak; daftarkan ulang mesin.")
    try:
        with (
            socket.create_connection((address.host, address.port), CONNECT_TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname=address.host) as secure,
        ):
            _await_alert(secure)
    except ssl.SSLCertVerificationError as error:
        return fault(f"Sambungan aman: server tidak dikenal; jangan dipakai, hubungi NOC ({error.verify_message}).")
    except ssl.SSLError as error:
        return fault(f"Sambungan aman: sertifikat mesin ditolak; hubungi NOC ({error.reason}).")
    except OSError as error:
        reason = error.strerror or "waktu habis"
        return fault(f"Sambungan aman: {address.host}:{address.port} tidak terjangkau; periksa jaringan ({reason}).")
    return good("Sambungan aman: server dikenal dan menerima sertifikat mesin.")


def _await_alert(secure: ssl.SSLSocket) -> None:
    """Under TLS 1.3 a refused certificate shows only in what the server says next; silence means it was taken."""
    secure.settimeout(1.0)
    try:
        if secure.recv(1) == b"":
            raise ConnectionResetError(104, "server menutup sambungan")
    except TimeoutError:
        return


def examine_line(machine: Machine, state: Callable[[], LineState], *, patience_s: float = ANSWER_S) -> list[Finding]:
    """Whether the broker lets this machine speak, and whether the centre stores and answers."""
    trip, seconds = _self_test(machine, patience_s, lambda: state().is_hopeless)
    now = state()
    if trip is Verdict.GOOD:
        return [good("Hak di broker: mesin boleh mengirim dan menerima."), _arrived(seconds)]
    if not now.is_connected:
        reason = f" ({now.unreachable})" if now.unreachable else ""
        return [fault(f"Broker: tidak tersambung; pulihkan jaringan lebih dahulu, lalu hubungi NOC{reason}.")]
    if now.refusal == "nobody_listening":
        return [fault("Uji pulang-pergi: layanan pusat sedang mati; kehadiran tetap disimpan, beri tahu NOC.")]
    if now.refusal is not None:
        reason = REFUSALS.get(now.refusal, now.refusal)
        return [fault(f"Hak di broker: kiriman ditolak ({reason}); minta NOC memeriksa pendaftaran mesin ini.")]
    return [_unanswered(patience_s)]


def examine_round_trip(machine: Machine, *, patience_s: float = ANSWER_S) -> Finding:
    """The same beside a running service, which does the sending."""
    trip, seconds = _self_test(machine, patience_s, lambda: False)
    return _arrived(seconds) if trip is Verdict.GOOD else _unanswered(patience_s)


def _self_test(machine: Machine, patience_s: float, is_hopeless: Callable[[], bool]) -> tuple[Verdict, float]:
    began = time.monotonic()
    kept = machine.report(Happening.SELF_TEST, at_once=True)
    while kept is not None and time.monotonic() - began < patience_s:
        if is_hopeless() and time.monotonic() - began > HOPELESS_S:
            break
        if not machine.outbox.is_waiting(kept):
            return Verdict.GOOD, time.monotonic() - began
        time.sleep(_POLL_S)
    return Verdict.FAULT, time.monotonic() - began


def _arrived(seconds: float) -> Finding:
    return good(f"Uji pulang-pergi: disimpan dan dikonfirmasi pusat dalam {seconds:.1f} detik.".replace(".", ",", 1))


def _unanswered(patience_s: float) -> Finding:
    return fault(
        f"Uji pulang-pergi: pusat tidak menjawab dalam {patience_s:.0f} detik; kehadiran tetap disimpan, hubungi NOC."
    )
