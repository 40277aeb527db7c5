"""Rusun · Detail: how is this estate doing, its machines and its attendance, and what happened there?"""

from __future__ import annotations

from typing import Final

from contract import series
from grafana import specs
from grafana.boards import shared
from grafana.queries import DEVICE, ESTATE, STEP, WIB_DAY, select
from grafana.specs import Ask, Board, Column, Kind, Panel

_SILENT: Final = "tidak ada baris dalam 3 menit terakhir: ingest berhenti, atau rusun ini belum bermesin."
_LAST_ONLINE: Final = select(series.MACHINE, "last(online) AS l", where=[ESTATE], by=["device"])

_ONLINE: Final = Panel(
    kind=Kind.STAT,
    title="Mesin daring di rusun ini",
    tells="Mesin yang terdengar dalam 3 menit terakhir, dari semua mesin terdaftar di rusun ini.",
    empty=_SILENT,
    asks=(
        Ask(select(_LAST_ONLINE, 'sum(l) AS "Daring"', 'count(l) AS "Terdaftar"', 'count(l) - sum(l) AS "Keadaan"')),
    ),
    columns=(
        Column(field="Daring"),
        Column(field="Terdaftar"),
        Column(field="Keadaan", ladder=specs.rising(1, 2), spoken=True),
    ),
    span="3m",
    width=8,
)
_TODAY: Final = Panel(
    kind=Kind.STAT,
    title="Tap hari ini",
    tells="Tap sejak 00.00 WIB, dan rata-rata 8 pekan pada jam yang sama.",
    empty=f"belum ada seperempat jam yang ditulis hari ini; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.TAP_15M,
                'sum(known) AS "Terdaftar"',
                'sum(unknown) AS "Belum terdaftar"',
                'sum(expected) AS "Biasanya"',
                where=[ESTATE],
            )
        ),
    ),
    columns=(Column(field="Terdaftar"), Column(field="Biasanya", decimals=0)),
    span="now/d",
    width=8,
)
_UNITS: Final = Panel(
    kind=Kind.STAT,
    title="Unit tanpa tap",
    tells="Unit wajib tap yang tidak tercatat tap dalam 7, 14, dan 30 hari sampai hari terakhir yang dirangkum. "
    "Hanya jumlah; bukan bukti apa pun.",
    empty=f"belum ada rangkuman harian; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                'last(silent_units_7d) AS "7 hari"',
                'last(silent_units_14d) AS "14 hari"',
                'last(silent_units_30d) AS "30 hari"',
                where=[ESTATE],
            )
        ),
    ),
    columns=(Column(field="7 hari"), Column(field="14 hari"), Column(field="30 hari")),
    span="3d",
    width=8,
)
_TIMELINE: Final = Panel(
    kind=Kind.TIMELINE,
    title="Keadaan mesin",
    tells="Bagian setiap selang waktu ketika mesin terdengar.",
    empty="tidak ada baris menit dalam rentang ini.",
    asks=(
        Ask(
            select(
                series.MACHINE,
                "mean(online) AS daring",
                where=[ESTATE, DEVICE],
                by=[STEP, "device"],
                tail="fill(null)",
            ),
            "series",
            "$tag_device",
        ),
    ),
    unit="percentunit",
    ladder=specs.Ladder(
        (
            specs.Step(None, "Luring", specs.RED),
            specs.Step(0.001, "Sempat luring", specs.AMBER),
            specs.Step(1, "Daring", specs.GREEN),
        )
    ),
    link="/d/hadir-mesin?var-device=${__field.labels.device}&${__url_time_range}",
    width=12,
    height=7,
)
_RHYTHM: Final = Panel(
    kind=Kind.TREND,
    title="Tap per 15 menit",
    tells="Tap kartu terdaftar dan belum terdaftar pada mesin terpilih.",
    empty="tidak ada seperempat jam yang ditulis dalam rentang ini.",
    asks=(
        Ask(
            select(
                series.TAP_15M,
                'sum(known) AS "Terdaftar"',
                'sum(unknown) AS "Belum terdaftar"',
                where=[ESTATE, DEVICE],
                by=["time(15m)"],
                tail="fill(none)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="short",
    width=12,
    height=7,
)
_PRESENCE: Final = Panel(
    kind=Kind.TREND,
    title="Kehadiran per hari dan kelengkapannya",
    tells="Unit hadir dari unit wajib, dan menit mesin mampu menerima tap dari jam layanan. Hari ini masih berjalan; "
    "persentase dengan kelengkapan rendah tidak dapat dibandingkan.",
    empty=f"belum ada rangkuman harian; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                f'{shared.PRESENT} AS "Hadir"',
                f'{shared.COMPLETENESS} AS "Lengkap"',
                where=[ESTATE],
                by=[WIB_DAY],
                tail="fill(none)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="percent",
    decimals=1,
    span="30d",
    width=12,
    height=8,
)
_UNCOUNTED: Final = Panel(
    kind=Kind.TABLE,
    title="Hari unit yang tidak dihitung, menurut sebab",
    tells="Jumlah hari unit dalam 30 hari yang tidak dihitung bagi siapa pun, menurut sebab pertama yang berlaku.",
    empty=f"belum ada rangkuman harian; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.ATTENDANCE_DAY,
                'sum(counted_units) AS "Dihitung"',
                'sum(uncounted_machine) AS "Mesin"',
                'sum(uncounted_lost) AS "Catatan hilang"',
                'sum(uncounted_closed) AS "Di luar jam layanan"',
                'sum(uncounted_calendar) AS "Libur"',
                'sum(uncounted_leave) AS "Izin"',
                'sum(uncounted_new_tenant) AS "Penghuni baru"',
                'sum(uncounted_no_card) AS "Belum berkartu"',
                where=[ESTATE],
            )
        ),
    ),
    columns=(shared.NO_TIME,),
    unit="short",
    span="30d",
    width=24,
    height=4,
)
_HOURS: Final = Panel(
    kind=Kind.TABLE,
    title="Tap menurut jam",
    tells="Tap per jam WIB dalam 14 hari; jam dengan 1-4 tap dan pasangannya (00-01, 02-03, …) disembunyikan.",
    empty=f"belum ada rangkuman per jam; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.TAP_HOUR,
                'sum(n) AS "Tap"',
                'sum(withheld) AS "Jam disembunyikan"',
                where=[ESTATE],
                by=["hour"],
            )
        ),
    ),
    columns=(shared.NO_TIME, Column(field="hour", title="Jam WIB", unit="string")),
    unit="short",
    worst=(("Jam WIB", False),),
    span="14d",
    width=6,
    height=8,
)
_FLAGS: Final = Panel(
    kind=Kind.TABLE,
    title="Flag rusun ini",
    tells="Flag yang terbuka, belum diambil, dan sengaja didiamkan, menurut jenis.",
    empty="belum ada flag yang ditulis pekerja alert dalam satu jam terakhir.",
    asks=(
        Ask(
            select(
                series.FLAG,
                'last(open) AS "Terbuka"',
                'unacknowledged AS "Belum diambil"',
                'hushed AS "Didiamkan"',
                'oldest_s AS "Umur tertua"',
                where=[ESTATE],
                by=["estate", "kind"],
            )
        ),
    ),
    columns=(
        shared.NO_TIME,
        shared.ESTATE_PLAIN,
        Column(field="kind", title="Jenis", unit="string"),
        Column(field="Umur tertua", unit="s"),
    ),
    span="1h",
    width=6,
    height=8,
)
_EVENTS: Final = Panel(
    kind=Kind.TABLE,
    title="Kejadian mesin",
    tells="Seratus kejadian terakhir mesin rusun ini dalam 7 hari.",
    empty="tidak ada kejadian mesin dalam 7 hari.",
    asks=(
        Ask(
            select(
                series.MACHINE_EVENT,
                'text AS "Kejadian"',
                "device",
                'duration_s AS "Lamanya"',
                'ongoing AS "Keadaan"',
                where=[ESTATE],
                tail="ORDER BY time DESC LIMIT 100",
            )
        ),
    ),
    columns=(
        shared.WHEN,
        shared.DEVICE_COLUMN,
        Column(field="Kejadian", unit="string"),
        Column(field="Lamanya", unit="s"),
        Column(
            field="Keadaan",
            ladder=specs.Ladder((specs.Step(None, "Selesai", specs.GREEN), specs.Step(1, "Berlangsung", specs.RED))),
            spoken=True,
        ),
    ),
    span="7d",
    width=12,
    height=9,
)
_CLOSURES: Final = Panel(
    kind=Kind.TABLE,
    title="Kejadian rusun",
    tells="Padam, pemeliharaan, penutupan, dan perubahan kebijakan dalam 90 hari.",
    empty="tidak ada kejadian rusun dalam 90 hari.",
    asks=(
        Ask(
            select(
                series.ESTATE_EVENT,
                'text AS "Kejadian"',
                "kind",
                'duration_s AS "Lamanya"',
                where=[ESTATE],
                tail="ORDER BY time DESC LIMIT 100",
            )
        ),
    ),
    columns=(
        shared.WHEN,
        Column(field="Kejadian", unit="string"),
        Column(field="kind", title="Jenis", unit="string"),
        Column(field="Lamanya", unit="s"),
    ),
    span="90d",
    width=12,
    height=9,
)

BOARD: Final = Board(
    uid="hadir-rusun",
    title="Rusun · Detail",
    question="Bagaimana keadaan satu rusun: mesinnya, kehadirannya, dan apa yang terjadi di sana?",
    when_red=(
        "**Mesin daring di rusun ini GANGGUAN**: hubungi petugas UPRS rusun itu; tanyakan listrik, lalu jaringan.",
        "**Kelengkapan turun** tanpa mesin luring: pembaca kartu atau jam mesin; buka *Mesin · Detail*.",
        "**Hari tidak dihitung naik**: tidak ada penghuni yang dirugikan; betulkan sebabnya.",
    ),
    begin="now-24h",
    refresh="1m",
    variables=(shared.ONE_ESTATE, shared.DEVICES),
    notes=(shared.AT_MACHINES, shared.AT_ESTATES),
    rows=(
        (_ONLINE, _TODAY, _UNITS),
        (_TIMELINE, _RHYTHM),
        (_PRESENCE, _HOURS, _FLAGS),
        (_UNCOUNTED,),
        (_EVENTS, _CLOSURES),
    ),
)
