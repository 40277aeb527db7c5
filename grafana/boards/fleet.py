"""NOC · Ringkasan Armada: is anything down, where, since when, and can this wall itself be trusted?"""

from __future__ import annotations

from typing import Final

from contract import series
from grafana import specs
from grafana.boards import shared
from grafana.queries import ESTATE, STEP, select
from grafana.specs import Ask, Board, Column, Kind, Panel

_LAST_ONLINE: Final = select(series.MACHINE, "last(online) AS l", where=[ESTATE], by=["estate", "device"])
_WORST_OF_ESTATE: Final = select(_LAST_ONLINE, "min(l) AS m", by=["estate"])
_STOPPED: Final = "tidak ada baris dalam 3 menit terakhir: ingest berhenti atau belum ada mesin terdaftar."

_ONLINE: Final = Panel(
    kind=Kind.STAT,
    title="Mesin daring",
    tells="Mesin yang terdengar dalam 3 menit terakhir, dari semua mesin terdaftar; mesin bisu tetap dihitung.",
    empty=_STOPPED,
    asks=(
        Ask(select(_LAST_ONLINE, 'sum(l) AS "Daring"', 'count(l) AS "Terdaftar"', 'count(l) - sum(l) AS "Keadaan"')),
    ),
    columns=(
        Column(field="Daring", unit="none"),
        Column(field="Terdaftar", unit="none"),
        Column(field="Keadaan", ladder=specs.rising(1, 3), spoken=True),
    ),
    span="3m",
    width=8,
)
_ESTATES: Final = Panel(
    kind=Kind.STAT,
    title="Rusun terdampak",
    tells="Rusun dengan sedikitnya satu mesin luring.",
    empty=_STOPPED,
    asks=(Ask(select(_WORST_OF_ESTATE, 'count(m) - sum(m) AS "Terdampak"', 'count(m) - sum(m) AS "Keadaan"')),),
    columns=(Column(field="Terdampak"), Column(field="Keadaan", ladder=specs.rising(1, 3), spoken=True)),
    span="3m",
    width=5,
)
_AGE: Final = Panel(
    kind=Kind.STAT,
    title="Umur data",
    tells="Kapan baris terakhir ditulis. Dihitung oleh peramban dari waktu baris itu sendiri, bukan oleh pipa.",
    empty="tidak ada baris dalam satu jam: angka lain di dinding ini tidak dapat dipercaya.",
    asks=(Ask(select(series.FLEET, 'last(online) AS "Daring"')),),
    columns=(Column(field="Daring", hidden=True),),
    unit="dateTimeFromNow",
    span="1h",
    width=4,
)
_MINUTES: Final = select(series.FLEET, "count(online) AS c", by=["time(1m)"], tail="fill(none)")
_TRUST: Final = Panel(
    kind=Kind.STAT,
    title="Dinding dapat dipercaya?",
    tells="Menit yang berisi data dalam 10 menit terakhir (10 atau 11 bila segar).",
    empty="DATA BASI: tidak ada data dalam 10 menit terakhir.",
    asks=(Ask(select(_MINUTES, 'count(c) AS "Menit"', 'count(c) AS "Keadaan"')),),
    columns=(
        Column(field="Menit", unit="short"),
        Column(
            field="Keadaan",
            ladder=specs.Ladder(
                (
                    specs.Step(None, "BASI", specs.RED),
                    specs.Step(4, "TERLAMBAT", specs.AMBER),
                    specs.Step(9, "SEGAR", specs.GREEN),
                )
            ),
            spoken=True,
        ),
    ),
    span="10m",
    width=7,
)
_TODAY: Final = Panel(
    kind=Kind.STAT,
    title="Tap hari ini",
    tells="Tap sejak 00.00 WIB dibandingkan dengan rata-rata 8 pekan pada jam yang sama.",
    empty=f"belum ada seperempat jam yang ditulis hari ini; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.TAP_15M,
                f'{shared.TAPS} AS "Tap"',
                'sum(expected) AS "Biasanya"',
                '100.0 * (sum(known) + sum(unknown)) / sum(expected) AS "Keadaan"',
                where=[ESTATE],
            )
        ),
    ),
    columns=(
        Column(field="Biasanya", decimals=0),
        Column(field="Keadaan", ladder=specs.falling(40, 70), spoken=True),
    ),
    span="now/d",
    width=6,
    height=5,
)
_RHYTHM: Final = Panel(
    kind=Kind.TREND,
    title="Tap per 15 menit, hari ini dan biasanya",
    tells="Tap semua mesin terpilih per seperempat jam; garis kedua adalah rata-rata 8 pekan.",
    empty=f"belum ada seperempat jam yang ditulis hari ini; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.TAP_15M,
                f'{shared.TAPS} AS "Hari ini"',
                'sum(expected) AS "Biasanya"',
                where=[ESTATE],
                by=["time(15m)"],
                tail="fill(none)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="short",
    span="now/d",
    width=10,
    height=5,
)
_BACKLOG: Final = Panel(
    kind=Kind.STAT,
    title="Antrean di mesin",
    tells="Catatan yang belum dijawab cloud, menurut detak terakhir semua mesin.",
    empty=_STOPPED,
    asks=(
        Ask(
            select(
                select(series.MACHINE, "last(backlog) AS b", where=[ESTATE], by=["estate", "device"]),
                'sum(b) AS "Catatan"',
                'max(b) AS "Terbanyak"',
                'max(b) AS "Keadaan"',
            )
        ),
    ),
    columns=(Column(field="Catatan"), Column(field="Keadaan", ladder=specs.rising(50, 500), spoken=True)),
    span="3m",
    width=6,
    height=7,
)
_ONGOING: Final = Panel(
    kind=Kind.TABLE,
    title="Sedang terganggu, dan sejak kapan",
    tells="Gangguan mesin dari 30 hari terakhir yang belum berakhir.",
    empty="tidak ada gangguan yang tercatat masih berlangsung.",
    asks=(
        Ask(
            select(
                series.MACHINE_EVENT,
                'text AS "Gangguan"',
                "estate",
                "device",
                'duration_s AS "Lamanya"',
                where=["ongoing = 1", ESTATE],
                tail="ORDER BY time DESC LIMIT 50",
            )
        ),
    ),
    columns=(
        Column(field="Time", title="Sejak", unit="dateTimeAsSystem"),
        shared.ESTATE_COLUMN,
        shared.DEVICE_COLUMN,
        Column(field="Gangguan", unit="string"),
        Column(field="Lamanya", unit="s"),
    ),
    span="30d",
    width=8,
    height=5,
)
_TIMELINE: Final = Panel(
    kind=Kind.TIMELINE,
    title="Keadaan mesin",
    tells="Bagian setiap selang waktu ketika mesin terdengar; 16 mesin per halaman.",
    empty=_STOPPED,
    asks=(
        Ask(
            select(
                series.MACHINE,
                "mean(online) AS daring",
                where=[ESTATE],
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
    width=14,
    height=11,
)
_WORST: Final = Panel(
    kind=Kind.TABLE,
    title="Semua mesin, terparah dahulu",
    tells="Satu baris per mesin terdaftar, menurut baris menit terakhir.",
    empty=_STOPPED,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'last(online) AS "Keadaan"',
                'last_seen_s AS "Terakhir terdengar"',
                'reader_ok AS "Pembaca"',
                'backlog AS "Antrean"',
                'oldest_unsent_s AS "Tertua"',
                'clock_offset_ms AS "Selisih jam"',
                'disk_free_pct AS "Ruang simpan"',
                'version AS "Versi"',
                where=[ESTATE],
                by=["estate", "device"],
            )
        ),
    ),
    columns=(
        shared.NO_TIME,
        shared.ESTATE_COLUMN,
        shared.DEVICE_COLUMN,
        Column(field="Keadaan", ladder=specs.yes("Daring", "Luring"), spoken=True),
        Column(field="Pembaca", ladder=specs.yes("Baik", "Terganggu"), spoken=True),
        Column(field="Terakhir terdengar", unit="s"),
        Column(field="Tertua", unit="s"),
        Column(field="Selisih jam", unit="ms"),
        Column(field="Ruang simpan", unit="percent", decimals=0),
        Column(field="Versi", unit="string"),
    ),
    worst=(("Keadaan", False), ("Terakhir terdengar", True)),
    span="3m",
    width=24,
    height=12,
)
_MAP: Final = Panel(
    kind=Kind.MAP,
    title="Letak rusun",
    tells="Bujur ke kanan, lintang ke atas, tanpa peta dari internet; warna menurut banyaknya mesin luring.",
    empty="belum ada rusun dengan koordinat, atau ingest berhenti.",
    asks=(
        Ask(
            select(
                series.FLEET,
                'last(lat) AS "Lintang"',
                'last(lon) AS "Bujur"',
                'last(registered) - last(online) AS "Luring"',
                where=[ESTATE],
                by=["estate"],
            )
        ),
    ),
    columns=(
        Column(field="Lintang", unit="degree", decimals=4),
        Column(field="Bujur", unit="degree", decimals=4),
        Column(field="Luring", ladder=specs.rising(1, 2), spoken=True),
    ),
    span="3m",
    width=10,
    height=11,
)
_FLAGS: Final = Panel(
    kind=Kind.TABLE,
    title="Flag terbuka menurut jenis",
    tells="Flag yang terbuka sekarang dan yang belum diambil siapa pun, seluruh kota.",
    empty="belum ada flag yang ditulis pekerja alert dalam satu jam terakhir.",
    asks=(
        Ask(
            select(
                select(
                    series.FLAG,
                    "last(open) AS o",
                    "last(unacknowledged) AS u",
                    "last(oldest_s) AS t",
                    where=[ESTATE],
                    by=["estate", "kind"],
                ),
                'sum(o) AS "Terbuka"',
                'sum(u) AS "Belum diambil"',
                'max(t) AS "Umur tertua"',
                by=["kind"],
            )
        ),
    ),
    columns=(
        shared.NO_TIME,
        Column(field="kind", title="Jenis", unit="string"),
        Column(field="Umur tertua", unit="s"),
    ),
    worst=(("Terbuka", True),),
    span="1h",
    width=18,
    height=7,
)

BOARD: Final = Board(
    uid="hadir-armada",
    title="NOC · Ringkasan Armada",
    question="Adakah yang luring, di mana, sejak kapan, dan dapatkah dinding ini dipercaya?",
    when_red=(
        "**Dinding dapat dipercaya? BASI**: abaikan angka lain; buka *Pipa Data*, periksa ingest dan InfluxDB.",
        "**Mesin daring GANGGUAN**: lihat tabel *Sedang terganggu*. Satu rusun: listrik atau jaringan rusun itu. "
        "Banyak rusun sekaligus: broker atau jaringan pusat, bukan mesinnya.",
        "**Tap hari ini KURANG** sedangkan semua daring: periksa pembaca kartu dan kalender libur.",
    ),
    begin="now-6h",
    refresh="30s",
    variables=(shared.ESTATES,),
    notes=(shared.AT_MACHINES, shared.AT_ESTATES),
    rows=(
        (_ONLINE, _ESTATES, _AGE, _TRUST),
        (_TODAY, _RHYTHM, _ONGOING),
        (_TIMELINE, _MAP),
        (_BACKLOG, _FLAGS),
        (_WORST,),
    ),
)
