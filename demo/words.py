"""How the screen writes times and numbers: formal Indonesian, the times of Jakarta. Pure."""

from datetime import datetime

from demo.residents import JAKARTA

_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip


def clock(instant: datetime) -> str:
    """`08.12 WIB`."""
    return f"{instant.astimezone(JAKARTA):%H.%M} WIB"


def day(instant: datetime) -> str:
    """`Selasa, 17 November 2026`."""
    local = instant.astimezone(JAKARTA)
    return f"{_DAYS[local.weekday()]}, {local.day} {_MONTHS[local.month - 1]} {local.year}"


def number(value: int) -> str:
    """`13.731`."""
    return f"{value:,}".replace(",", ".")


def decimal(value: float, digits: int = 2) -> str:
    """`0,31`."""
    return f"{value:.{digits}f}".replace(".", ",")


def seconds(value: float | None) -> str:
    """`0,31 detik`; a dash for none."""
    return "–" if value is None else f"{decimal(value)} detik"
