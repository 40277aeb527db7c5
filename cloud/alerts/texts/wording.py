"""Numbers, dates and spans as Indonesian officials write them; always in WIB, never by the process locale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from cloud.days.jakarta import DAY, HOUR, MINUTE

LOCALE: Final = "id"
WIB: Final = timezone(timedelta(hours=7), "WIB")
"""Jakarta has had no other offset since 1964, and knows no summer time."""

KINDS: Final[Mapping[str, str]] = {
    "INGEST_DOWN": "penerimaan data di pusat terhenti",
    "WIDE_OUTAGE": "gangguan luas",
    "ESTATE_OFFLINE": "semua mesin satu rusun luring",
    "DEVICE_OFFLINE": "mesin luring",
    "DEVICE_FLAPPING": "sambungan mesin putus-sambung",
    "CLOCK_SKEW": "jam mesin tidak tepat",
    "READER_FAULT": "pembaca kartu diduga terganggu",
    "STORAGE_LOW": "penyimpanan mesin hampir penuh",
    "QUEUE_STUCK": "data mesin tertahan",
    "WATERMARK_STUCK": "data mesin belum lengkap",
    "DEVICE_UNKNOWN": "mesin tidak terdaftar",
    "CRL_EXPIRING": "daftar pencabutan sertifikat segera berakhir",
    "NOTIFY_FAILING": "pemberitahuan tidak sampai",
    "LOW_REGISTRATION": "pendaftaran kartu masih rendah",
    "UNIT_UNREGISTERED": "unit belum memiliki kartu terdaftar",
    "UNIT_NO_TAPS": "unit perlu klarifikasi",
    "HOLDER_ABSENT": "kartu pemegang SP lama tidak digunakan",
    "ESTATE_TAP_DROP": "jumlah tap turun tidak wajar",
    "CARD_TWO_ESTATES": "kartu terbaca di dua rusun",
    "FOREIGN_ESTATE": "kartu digunakan di rusun lain",
    "UNKNOWN_CARD": "banyak kartu belum terdaftar",
    "REVOKED_CARD": "kartu nonaktif masih digunakan",
    "PROXY_PATTERN": "beberapa kartu digunakan bersamaan",
}
"""What a flag of each kind says, in the middle of a sentence."""

REASONS: Final[Mapping[str, str]] = {
    "machine": "mesin terganggu",
    "lost": "data mesin hilang",
    "no_machine": "belum ada mesin",
    "closed": "layanan tutup",
    "calendar": "hari libur",
    "leave": "pemberitahuan tidak di tempat",
    "no_card": "belum ada kartu",
    "no_tenancy": "di luar masa sewa",
    "new_tenant": "penghuni baru",
    "not_live": "belum berjalan",
}
"""Why a day is not counted. What is our fault comes first."""
OURS: Final = ("machine", "lost")


def number(value: float) -> str:
    """13731 as `13.731`, 99.5 as `99,5`."""
    return format_decimal(value, locale=LOCALE)


def instant(ms: int) -> str:
    """`12 Mei 2026 09.12 WIB`."""
    return format_datetime(_local(ms), "d MMMM y HH.mm", locale=LOCALE) + " WIB"


def day(of: date) -> str:
    """`12 Mei 2026`."""
    return format_date(of, "d MMMM y", locale=LOCALE)


def weekday(of: date) -> str:
    """`Selasa, 12 Mei 2026`."""
    return format_date(of, "EEEE, d MMMM y", locale=LOCALE)


def month(of: date) -> str:
    """`Mei 2026`."""
    return format_date(of, "MMMM y", locale=LOCALE)


def span(ms: int) -> str:
    """`2 hari 3 jam`, `1 jam 5 menit`, `kurang dari 1 menit`: the two largest units."""
    days, rest = divmod(max(ms, 0), DAY)
    hours, rest = divmod(rest, HOUR)
    parts = [f"{number(n)} {unit}" for n, unit in ((days, "hari"), (hours, "jam"), (rest // MINUTE, "menit")) if n]
    return " ".join(parts[:2]) or "kurang dari 1 menit"


def listing(words: Iterable[object], *, most: int = 10) -> str:
    """`a, b dan c`; of more than *most* the first ones, `dan 23 lainnya`."""
    items = [str(word) for word in words]
    if len(items) > most:
        items = [*items[:most], f"{number(len(items) - most)} lainnya"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} dan {items[-1]}" if items else "-"


def reasons(counts: Mapping[str, int]) -> str:
    """`mesin terganggu 4, hari libur 5`; our fault first."""
    return ", ".join(f"{words} {number(counts[key])}" for key, words in REASONS.items() if counts.get(key))


def rusun(name: str) -> str:
    """An estate's name with the word for what it is, once."""
    return name if name.lower().startswith("rusun") else f"Rusun {name}"


def _local(ms: int) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(WIB)
