"""The closing table, and the sentence below it. Pure; counts only, as on the screen."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from demo import words
from demo.closing import Account
from demo.ledger import Place

PLACES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Run:
    """How the run went, beside the account. `top_speed`: None where it could not be measured."""

    machines: int
    estates: int
    speed: float
    real_s: float
    city_minutes: float
    turned_away: int
    unanswered: int
    typical_s: float | None
    slowest_s: float | None
    top_speed: float | None
    messages: int = 0
    units: int = 0
    holidays_counted: int = 0


def draw(account: Account, run: Run) -> RenderableType:
    """Table and verdict."""
    table = Table(title="Neraca penutup", box=box.ROUNDED, title_style="bold", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    for label, value, note in _lines(account, run):
        table.add_row(label, value, note)
    table.add_section()
    for label, places, note in _faults(account):
        style = "bold red" if places else "green"
        table.add_row(label, Text(words.number(len(places)), style), _named(places) or note)
    return Group(table, _verdict(account), Text(_pace(run)))


def _lines(account: Account, run: Run) -> list[tuple[str, str, str]]:
    away = run.turned_away + run.unanswered
    return [
        ("Mesin", words.number(run.machines), f"di {run.estates} rusun, masing-masing proses hadir-edge sendiri"),
        ("Waktu kota", f"{words.number(round(run.city_minutes))} menit", f"dalam {words.seconds(run.real_s)}"),
        ("Tap dibuat", words.number(account.made), "mesin sudah mengatakan TERSIMPAN"),
        ("Kartu tidak menjadi tap", words.number(away), "mesin menolak atau tidak menjawab"),
        ("Tersimpan tepat satu kali", words.number(account.stored_once), "di SQL"),
        ("Konfirmasi biasa", words.seconds(run.typical_s), "dari TERSIMPAN sampai lampu"),
        ("Konfirmasi terlama", words.seconds(run.slowest_s), "mesin yang daring"),
        ("Pesan terkirim", words.number(run.messages), "seperti tampak di atas"),
        ("Unit perlu klarifikasi", words.number(run.units), "pertanyaan, bukan bukti pelanggaran"),
        ("Hari libur ikut terhitung", words.number(run.holidays_counted), "dalam bukti semua unit itu"),
    ]


def _faults(account: Account) -> list[tuple[str, tuple[Place, ...], str]]:
    return [
        ("Hilang", account.lost, "dibuat, tidak ada di SQL"),
        ("Ganda", account.doubled, "lebih dari satu kali di SQL"),
        ("Kartu keliru", account.wrong_card, ""),
        ("Waktu keliru", account.wrong_time, ""),
        ("Tanpa asal", account.unasked, "ada di SQL, tidak ada yang membuat"),
        ("Belum terkonfirmasi", account.unconfirmed, "mesin belum menerima jawaban"),
    ]


def _named(places: Sequence[Place]) -> str:
    """The first few, as machine and record number: enough to look them up, and nobody's card."""
    shown = ", ".join(f"{machine} no. {seq}" for machine, seq in places[:PLACES_SHOWN])
    return f"{shown}, …" if len(places) > PLACES_SHOWN else shown


def _verdict(account: Account) -> Text:
    if account.is_good:
        return Text("Semua tap tersimpan tepat satu kali dan terkonfirmasi.", "bold green")
    if not account.made:
        return Text("GAGAL: tidak ada tap yang dibuat, jadi tidak ada yang terbukti.", "bold red")
    return Text("GAGAL: tidak semua tap tersimpan tepat satu kali dan terkonfirmasi.", "bold red")


def _pace(run: Run) -> str:
    if run.top_speed is None:
        return "Kecepatan tertinggi tidak dapat diukur pada sistem ini."
    return (
        f"Kecepatan tertinggi di komputer ini: sekitar SPEED={words.number(_rounded(run.top_speed))} untuk "
        f"{run.machines} mesin (dihitung dari waktu prosesor yang terpakai pada SPEED={run.speed:g}; "
        "hadir-demo --top-speed mengukurnya dengan menjalankannya)."
    )


def _rounded(speed: float) -> int:
    """Two digits are all that such an estimate is worth."""
    step = int(10 ** max(0, len(str(int(speed))) - 2))
    return max(1, int(speed // step) * int(step))


def probed(run: Run, *, keeps_up: bool, is_good: bool) -> Text:
    """One step of the search for the top speed."""
    verdict = Text("terkejar", "green") if keeps_up and is_good else Text("tidak terkejar", "bold red")
    waits = f"konfirmasi biasa {words.seconds(run.typical_s)}, terlama {words.seconds(run.slowest_s)}"
    return Text.assemble(f"SPEED={run.speed:g}: ", verdict, f" ({waits})")


def probe_result(best: float | None, machines: int) -> Text:
    """What the search found."""
    if best is None:
        return Text("Kecepatan awal pun tidak terkejar; ulangi dengan SPEED yang lebih kecil.", "bold red")
    return Text(
        f"Kecepatan tertinggi yang terkejar oleh {machines} mesin di komputer ini: SPEED={best:g} "
        "(95 % kartu ditempelkan dan dikonfirmasi dalam 1 detik, semua tap tersimpan tepat satu kali).",
        "bold",
    )
