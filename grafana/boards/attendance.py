"""Kehadiran · Tren: how does attendance move, and how much can be believed? Aggregates alone; officials see it."""

from __future__ import annotations

from typing import Final

from contract import series
from grafana import queries, specs
from grafana.boards import shared
from grafana.queries import ESTATE, WIB_DAY, select
from grafana.specs import Ask, Board, Column, Kind, Panel

_NO_DAYS: Final = f"tidak ada rangkuman harian dalam rentang ini; {shared.NOTHING_YET}"
_LATE: Final = specs.Ladder(
    (specs.Step(None, "TEPAT WAKTU", specs.GREEN), specs.Step(1, "DIISI TERLAMBAT", specs.AMBER))
)
_TO_SELF: Final = "/d/hadir-kehadiran?var-estate=${__value.text}&${__url_time_range}"
_ESTATE_COLUMN: Final = Column(field="estate", title="Rusun", unit="string", link=_TO_SELF)

_PRESENT: Final = Panel(
    kind=Kind.STAT,
    title="Hadir pada hari terakhir, dan kelengkapannya",
    tells="Unit dengan sedikitnya satu tap oleh kartu sah, dari unit wajib; dan menit mesin mampu menerima tap dari "
    "jam layanan. Kehadiran dengan kelengkapan KURANG tidak dapat dibandingkan.",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                f'{shared.PRESENT} AS "Hadir"',
                f'{shared.COMPLETENESS} AS "Lengkap"',
                f'{shared.COMPLETENESS} AS "Keadaan"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(none)",
            ),
        ),
    ),
    columns=(
        Column(field="Hadir"),
        Column(field="Lengkap"),
        Column(field="Keadaan", ladder=shared.COMPLETE, spoken=True),
    ),
    unit="percent",
    decimals=1,
    width=9,
)
_REGISTERED: Final = Panel(
    kind=Kind.STAT,
    title="Cakupan pendaftaran",
    tells="Unit yang dihuni dan berkartu sah, dari semua unit, pada hari terakhir.",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                'sum(registered_units) AS "Terdaftar"',
                'sum(total_units) AS "Semua unit"',
                f'{queries.percent("sum(registered_units)", "sum(total_units)")} AS "Persen"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(none)",
            )
        ),
    ),
    columns=(
        Column(field="Terdaftar"),
        Column(field="Semua unit"),
        Column(field="Persen", unit="percent", decimals=1),
    ),
    width=8,
)
_SILENT: Final = Panel(
    kind=Kind.STAT,
    title="Unit tanpa tap",
    tells="Unit wajib yang tidak tercatat tap dalam 7, 14, dan 30 hari sampai hari terakhir. Hanya jumlah; "
    "bukan bukti apa pun.",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                'sum(silent_units_7d) AS "7 hari"',
                'sum(silent_units_14d) AS "14 hari"',
                'sum(silent_units_30d) AS "30 hari"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(none)",
            )
        ),
    ),
    columns=(Column(field="7 hari"), Column(field="14 hari"), Column(field="30 hari")),
    width=7,
)
_TREND: Final = Panel(
    kind=Kind.TREND,
    title="Kehadiran, kelengkapan, dan tap yang tiba terlambat",
    tells="Per hari WIB. Batang menandai hari yang diisi terlambat: tap yang tiba lebih dari 15 menit setelah hari "
    "itu berakhir (sumbu kanan).",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                f'{shared.PRESENT} AS "Hadir"',
                f'{shared.COMPLETENESS} AS "Lengkap"',
                'sum(late_taps) AS "Tap terlambat"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="percent",
    decimals=1,
    columns=(Column(field="Tap terlambat", unit="short", bars=True, right=True),),
    width=14,
    height=9,
)
_PER_ESTATE_DAY: Final = select(
    series.ATTENDANCE_DAY, f"{shared.PRESENT} AS p", where=[ESTATE], by=[WIB_DAY, "estate"], tail="fill(none)"
)
_BAND: Final = Panel(
    kind=Kind.TREND,
    title="Sebaran antarrusun",
    tells="Seperempat rusun berada di bawah garis bawah, separuh di bawah garis tengah, seperempat di atas garis atas.",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                _PER_ESTATE_DAY,
                'percentile(p, 25) AS "Kuartil bawah"',
                'median(p) AS "Median"',
                'percentile(p, 75) AS "Kuartil atas"',
                by=[WIB_DAY],
                tail="fill(none)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="percent",
    decimals=1,
    width=10,
    height=9,
)
_RANK: Final = Panel(
    kind=Kind.TABLE,
    title="Rusun menurut kehadiran dalam rentang",
    tells="Hari unit hadir dari hari unit wajib sepanjang rentang, perubahan dari hari pertama ke hari terakhir, "
    "kelengkapan, dan tap terlambat. Bandingkan hanya baris yang kelengkapannya BAIK.",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                f'{shared.PRESENT} AS "Hadir"',
                "100.0 * last(present_units) / last(obliged_units)"
                ' - 100.0 * first(present_units) / first(obliged_units) AS "Perubahan"',
                f'{shared.COMPLETENESS} AS "Lengkap"',
                f'{shared.COMPLETENESS} AS "Keadaan"',
                'sum(late_taps) AS "Tap terlambat"',
                f'{queries.percent("sum(registered_units)", "sum(total_units)")} AS "Terdaftar"',
                where=[ESTATE],
                by=["estate"],
            )
        ),
    ),
    columns=(
        shared.NO_TIME,
        _ESTATE_COLUMN,
        Column(field="Keadaan", ladder=shared.COMPLETE, spoken=True),
        Column(field="Tap terlambat", unit="short", decimals=0),
    ),
    unit="percent",
    decimals=1,
    worst=(("Hadir", False),),
    width=14,
    height=11,
)
_LATE_DAYS: Final = Panel(
    kind=Kind.TABLE,
    title="Hari yang diisi terlambat",
    tells="Hari yang berubah setelah berakhir karena catatan mesin tiba kemudian, dan kapan catatannya lengkap.",
    empty="tidak ada hari dalam rentang ini yang diisi terlambat.",
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                "estate",
                'late_taps AS "Tap terlambat"',
                'taps AS "Semua tap"',
                'completed_at AS "Lengkap pada"',
                'late_taps AS "Keadaan"',
                where=["late_taps > 0", ESTATE],
                tail="ORDER BY time DESC LIMIT 200",
            )
        ),
    ),
    columns=(
        shared.DAY,
        _ESTATE_COLUMN,
        Column(field="Lengkap pada", unit="dateTimeAsSystem"),
        Column(field="Keadaan", ladder=_LATE, spoken=True),
    ),
    width=10,
    height=11,
)
_MATRIX: Final = Panel(
    kind=Kind.TABLE,
    title="Tap menurut rusun dan jam",
    tells="Jumlah tap per jam WIB sepanjang rentang, tanpa jam dengan 1-4 tap dan pasangannya (disembunyikan).",
    empty=f"tidak ada rangkuman per jam dalam rentang ini; {shared.NOTHING_YET}",
    asks=(Ask(select(series.TAP_HOUR, 'sum(n) AS "Tap"', where=[ESTATE], by=["estate", "hour"])),),
    columns=(Column(field="estate\\hour", title="Rusun", unit="string"),),
    unit="short",
    matrix=("estate", "hour", "Tap"),
    width=24,
    height=10,
)
_DAY_HOURS: Final = select(series.TAP_HOUR, "sum(n) AS s", where=[ESTATE], by=[WIB_DAY, "hour"], tail="fill(none)")
_PROFILE: Final = Panel(
    kind=Kind.BARS,
    title="Tap rata-rata menurut jam",
    tells="Rata-rata per hari, rusun terpilih; jam dengan 1-4 tap dan pasangannya (00-01, …) terhitung nol.",
    empty=f"tidak ada rangkuman per jam dalam rentang ini; {shared.NOTHING_YET}",
    asks=(Ask(select(_DAY_HOURS, 'mean(s) AS "Tap per hari"', by=["hour"])),),
    columns=(Column(field="hour", title="Jam WIB", unit="string"), shared.NO_TIME),
    unit="short",
    decimals=1,
    width=12,
    height=8,
)
_UNKNOWN: Final = Panel(
    kind=Kind.TREND,
    title="Tap kartu belum terdaftar",
    tells="Per hari WIB, dari semua tap.",
    empty=_NO_DAYS,
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                'sum(unknown_taps) AS "Belum terdaftar"',
                'sum(taps) AS "Semua tap"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="short",
    width=12,
    height=8,
)
_MONTHS: Final = Panel(
    kind=Kind.TABLE,
    title="Bulan demi bulan",
    tells="Satu baris per rusun dan bulan, 13 bulan terakhir: unit yang hadir sedikitnya sekali, rata-rata harian, "
    "kelengkapan.",
    empty=f"belum ada bulan yang dirangkum; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.ATTENDANCE_MONTH,
                f'{queries.percent("sum(present_units)", "sum(obliged_units)")} AS "Hadir sebulan"',
                f'{queries.percent("sum(present_unit_days)", "sum(obliged_unit_days)")} AS "Hadir harian"',
                f'{shared.COMPLETENESS} AS "Lengkap"',
                'sum(taps) AS "Tap"',
                'sum(late_taps) AS "Tap terlambat"',
                where=[ESTATE],
                by=[WIB_DAY, "estate"],
                tail="fill(none)",
            )
        ),
    ),
    columns=(
        Column(field="Time", title="Bulan", unit="time:MM-YYYY"),
        _ESTATE_COLUMN,
        Column(field="Tap", unit="short", decimals=0),
        Column(field="Tap terlambat", unit="short", decimals=0),
    ),
    unit="percent",
    decimals=1,
    span="400d",
    width=24,
    height=10,
)

BOARD: Final = Board(
    uid="hadir-kehadiran",
    title="Kehadiran · Tren",
    question="Bagaimana kehadiran bergerak per rusun, dan seberapa lengkap catatannya?",
    when_red=(
        "**Kelengkapan KURANG**: jangan menyimpulkan apa pun tentang penghuni; minta NOC memulihkan mesinnya.",
        "**Hari diisi terlambat**: angka hari itu baru sah setelah waktu *Lengkap pada*.",
        "**Unit tanpa tap naik**: hanya pertanyaan; keputusan ada pada petugas yang bernama, setelah klarifikasi.",
    ),
    begin="now-30d/d",
    end="now-1d/d",
    refresh="15m",
    variables=(shared.ESTATES_BY_DAY,),
    notes=(shared.AT_ESTATES,),
    rows=(
        (_PRESENT, _REGISTERED, _SILENT),
        (_TREND, _BAND),
        (_RANK, _LATE_DAYS),
        (_MATRIX,),
        (_PROFILE, _UNKNOWN),
        (_MONTHS,),
    ),
    for_officials=True,
)
