"""Laporan · SLA Bulanan: were the machines there when they should have been? Printable, definitions on the page."""

from __future__ import annotations

from typing import Final

from contract import series
from grafana.boards import shared
from grafana.queries import ESTATE, WIB_DAY, select
from grafana.specs import Ask, Board, Column, Kind, Panel

_NO_MONTH: Final = "bulan ini belum dirangkum, atau tidak ada mesin terpasang pada bulan ini."
_DEFINITIONS: Final = """\
**Ketersediaan** = menit mesin terdengar ÷ menit layanan. **Kemampuan** = menit mesin dapat menerima tap ÷ \
menit layanan (gangguan jaringan tidak mengurangi). **Menit layanan** = jam layanan mesin itu selama terpasang. \
**Kelengkapan** = menit mampu rusun ÷ menit layanan rusun. **Padam** = kejadian rusun berjenis *outage*.

Sasaran: ketersediaan ≥ 99 % BAIK, 95–99 % WASPADA, < 95 % KURANG. Semua hari menurut WIB; bulan = rentang di atas. \
Tidak ada data tentang orang, kartu, atau unit dalam laporan ini."""

_TEXT: Final = Panel(kind=Kind.TEXT, title="Definisi", content=_DEFINITIONS, width=24, height=5)
_FLEET: Final = Panel(
    kind=Kind.STAT,
    title="Ketersediaan armada",
    tells="Menit terdengar dari menit layanan, semua mesin terpilih, sepanjang rentang.",
    empty=_NO_MONTH,
    asks=(
        Ask(
            select(
                series.MACHINE_DAY,
                f'{shared.AVAILABILITY} AS "Terdengar"',
                f'{shared.ABLE} AS "Mampu"',
                f'{shared.AVAILABILITY} AS "Keadaan"',
                where=[ESTATE],
            )
        ),
    ),
    columns=(
        Column(field="Terdengar"),
        Column(field="Mampu"),
        Column(field="Keadaan", ladder=shared.AVAILABLE, spoken=True),
    ),
    unit="percent",
    decimals=2,
    width=9,
)
_COMPLETE: Final = Panel(
    kind=Kind.STAT,
    title="Kelengkapan catatan",
    tells="Menit mampu dari menit layanan, per rusun lalu dijumlah.",
    empty=_NO_MONTH,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                f'{shared.COMPLETENESS} AS "Lengkap"',
                f'{shared.COMPLETENESS} AS "Keadaan"',
                where=[ESTATE],
            )
        ),
    ),
    columns=(
        Column(field="Lengkap"),
        Column(field="Keadaan", ladder=shared.COMPLETE, spoken=True),
    ),
    unit="percent",
    decimals=2,
    width=6,
)
_OUTAGES: Final = Panel(
    kind=Kind.STAT,
    title="Padam: banyaknya, rata-rata, terlama",
    tells="Padam rusun yang bermula dalam rentang.",
    empty="tidak ada padam yang tercatat dalam rentang ini.",
    asks=(
        Ask(
            select(
                series.ESTATE_EVENT,
                'count(duration_s) AS "Banyaknya"',
                'mean(duration_s) AS "Rata-rata"',
                'max(duration_s) AS "Terlama"',
                where=["kind = 'outage'", ESTATE],
            )
        ),
    ),
    columns=(
        Column(field="Banyaknya"),
        Column(field="Rata-rata", unit="s"),
        Column(field="Terlama", unit="s"),
    ),
    width=9,
)
_DAYS: Final = Panel(
    kind=Kind.TREND,
    title="Menit layanan yang tidak terdengar, per hari",
    tells="Jumlah semua mesin terpilih.",
    empty=_NO_MONTH,
    asks=(
        Ask(
            select(
                series.MACHINE_DAY,
                'sum(minutes_expected) - sum(minutes_online) AS "Tidak terdengar"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="m",
    width=12,
    height=8,
)
_ESTATES: Final = Panel(
    kind=Kind.TABLE,
    title="Per rusun",
    tells="Ketersediaan dan kemampuan mesin rusun sepanjang rentang.",
    empty=_NO_MONTH,
    asks=(
        Ask(
            select(
                series.MACHINE_DAY,
                f'{shared.AVAILABILITY} AS "Terdengar"',
                f'{shared.ABLE} AS "Mampu"',
                'sum(taps) AS "Tap"',
                f'{shared.AVAILABILITY} AS "Keadaan"',
                where=[ESTATE],
                by=["estate"],
            )
        ),
    ),
    columns=(
        shared.NO_TIME,
        shared.ESTATE_PLAIN,
        Column(field="Tap", unit="short", decimals=0),
        Column(field="Keadaan", ladder=shared.AVAILABLE, spoken=True),
    ),
    unit="percent",
    decimals=2,
    worst=(("Terdengar", False),),
    width=12,
    height=16,
)
_LONGEST: Final = select(
    series.MACHINE_DAY,
    "sum(minutes_expected) - sum(minutes_online) AS menit",
    where=[ESTATE],
    by=["estate", "device"],
)
_TOP: Final = Panel(
    kind=Kind.TABLE,
    title="Sepuluh mesin yang paling lama tidak terdengar",
    tells="Menit layanan yang tidak terdengar sepanjang rentang.",
    empty=_NO_MONTH,
    asks=(Ask(select(_LONGEST, 'top(menit, estate, device, 10) AS "Menit"', "estate", "device")),),
    columns=(shared.NO_TIME, shared.ESTATE_PLAIN, shared.DEVICE_PLAIN),
    unit="m",
    decimals=0,
    worst=(("Menit", True),),
    width=12,
    height=8,
)
_MACHINES: Final = Panel(
    kind=Kind.TABLE,
    title="Per mesin",
    tells="Ketersediaan, kemampuan, tap, dan banyaknya dinyalakan ulang sepanjang rentang.",
    empty=_NO_MONTH,
    asks=(
        Ask(
            select(
                series.MACHINE_DAY,
                f'{shared.AVAILABILITY} AS "Terdengar"',
                f'{shared.ABLE} AS "Mampu"',
                'sum(taps) AS "Tap"',
                'sum(restarts) AS "Nyala ulang"',
                f'{shared.AVAILABILITY} AS "Keadaan"',
                where=[ESTATE],
                by=["estate", "device"],
            )
        ),
    ),
    columns=(
        shared.NO_TIME,
        shared.ESTATE_PLAIN,
        shared.DEVICE_PLAIN,
        Column(field="Tap", unit="short", decimals=0),
        Column(field="Nyala ulang", unit="short", decimals=0),
        Column(field="Keadaan", ladder=shared.AVAILABLE, spoken=True),
    ),
    unit="percent",
    decimals=2,
    worst=(("Terdengar", False),),
    width=24,
    height=14,
)

BOARD: Final = Board(
    uid="hadir-sla",
    title="Laporan · SLA Bulanan",
    question="Apakah mesin ada ketika penghuni membutuhkannya, sebulan penuh?",
    when_red=(
        "**Ketersediaan KURANG**: lihat *Per rusun* dan *Sepuluh mesin*; satu mesin dapat menarik seluruh armada.",
        "**Mampu jauh di bawah Terdengar**: mesin hidup tetapi pembaca atau jamnya tidak; itu pekerjaan teknisi.",
    ),
    begin="now-1M/M",
    end="now-1M/M",
    variables=(shared.ESTATES_BY_DAY,),
    notes=(shared.AT_ESTATES,),
    rows=(
        (_TEXT,),
        (_FLEET, _COMPLETE, _OUTAGES),
        (_DAYS, _ESTATES),
        (_TOP,),
        (_MACHINES,),
    ),
    for_officials=True,
)
