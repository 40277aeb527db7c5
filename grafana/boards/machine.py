"""Mesin · Detail: does this machine work, and is everything it recorded accounted for?"""

from __future__ import annotations

from typing import Final

from contract import series
from grafana import specs
from grafana.boards import shared
from grafana.queries import DEVICE, STEP, WIB_DAY, select
from grafana.specs import Ask, Board, Column, Kind, Panel

_SILENT: Final = "tidak ada baris dalam 3 menit terakhir: ingest berhenti, atau mesin ini tidak terdaftar."
_NONE_IN_RANGE: Final = "tidak ada baris menit mesin ini dalam rentang."

_STATE: Final = Panel(
    kind=Kind.STAT,
    title="Keadaan sekarang",
    tells="Terdengar dalam 3 menit terakhir; pembaca kartu dan jam menurut detak terakhir.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'last(online) AS "Mesin"',
                'reader_ok AS "Pembaca"',
                'clock_trusted AS "Jam"',
                where=[DEVICE],
            )
        ),
    ),
    columns=(
        Column(field="Mesin", ladder=specs.yes("Daring", "Luring"), spoken=True),
        Column(field="Pembaca", ladder=specs.yes("Baik", "Terganggu"), spoken=True),
        Column(field="Jam", ladder=specs.yes("Tepercaya", "Belum sinkron"), spoken=True),
    ),
    span="3m",
    width=9,
)
_HEARD: Final = Panel(
    kind=Kind.STAT,
    title="Terakhir terdengar dan hidup sejak",
    tells="Waktu sejak detak terakhir, dan lama hidup sejak dinyalakan menurut detak itu.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'last(last_seen_s) AS "Terdengar"',
                'uptime_s AS "Hidup"',
                'last_seen_s AS "Keadaan"',
                where=[DEVICE],
            )
        ),
    ),
    columns=(
        Column(field="Terdengar", unit="s"),
        Column(field="Hidup", unit="s"),
        Column(field="Keadaan", ladder=specs.rising(180, 900), spoken=True),
    ),
    span="3m",
    width=9,
)
_AVAILABLE: Final = Panel(
    kind=Kind.STAT,
    title="Ketersediaan 30 hari",
    tells="Menit terdengar dari menit layanan, 30 hari.",
    empty=f"belum ada rangkuman harian; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.MACHINE_DAY,
                f'{shared.AVAILABILITY} AS "Terdengar"',
                f'{shared.AVAILABILITY} AS "Keadaan"',
                where=[DEVICE],
            )
        ),
    ),
    columns=(
        Column(field="Terdengar", unit="percent", decimals=1),
        Column(field="Keadaan", ladder=shared.AVAILABLE, spoken=True),
    ),
    span="30d",
    width=6,
)
_LEDGER: Final = Panel(
    kind=Kind.STAT,
    title="Buku catatan: dibuat, tersimpan, belum tiba, ditahan, ditolak",
    tells="Nomor urut catatan kotak keluar yang sekarang. Dibuat = tersimpan + belum tiba + ditahan + ditolak; "
    "selisih selain nol berarti pembukuan salah. Bergerak per 15 menit.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'last(made) AS "Dibuat"',
                'stored AS "Tersimpan"',
                'missing AS "Belum tiba"',
                'held AS "Ditahan"',
                'rejected AS "Ditolak"',
                'made - stored - missing - held - rejected AS "Selisih"',
                where=[DEVICE],
            )
        ),
    ),
    columns=(
        Column(field="Dibuat"),
        Column(
            field="Selisih",
            ladder=specs.Ladder(
                (
                    specs.Step(None, "SALAH", specs.RED),
                    specs.Step(0, "COCOK", specs.GREEN),
                    specs.Step(1, "SALAH", specs.RED),
                )
            ),
            spoken=True,
        ),
    ),
    span="3m",
    width=15,
)
_WAITING: Final = Panel(
    kind=Kind.STAT,
    title="Menunggu di mesin",
    tells="Catatan yang belum dijawab, umur yang tertua, tap yang ditolak karena penuh, catatan yang disisihkan mesin.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'last(backlog) AS "Antrean"',
                'oldest_unsent_s AS "Tertua"',
                'refused AS "Ditolak penuh"',
                'parked AS "Disisihkan"',
                where=[DEVICE],
            )
        ),
    ),
    columns=(Column(field="Antrean"), Column(field="Tertua", unit="s")),
    span="3m",
    width=9,
)
_TIMELINE: Final = Panel(
    kind=Kind.TIMELINE,
    title="Terdengar, pembaca, jam",
    tells="Bagian setiap selang waktu ketika mesin terdengar, pembacanya baik, dan jamnya tepercaya.",
    empty=_NONE_IN_RANGE,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'mean(online) AS "Terdengar"',
                'mean(reader_ok) AS "Pembaca"',
                'mean(clock_trusted) AS "Jam"',
                where=[DEVICE],
                by=[STEP],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="percentunit",
    ladder=specs.Ladder(
        (
            specs.Step(None, "Terganggu", specs.RED),
            specs.Step(0.001, "Sebagian", specs.AMBER),
            specs.Step(1, "Baik", specs.GREEN),
        )
    ),
    width=12,
    height=6,
)
_TAPS: Final = Panel(
    kind=Kind.TREND,
    title="Tap per 15 menit",
    tells="Tap kartu terdaftar dan belum terdaftar, dan rata-rata 8 pekan.",
    empty="tidak ada seperempat jam yang ditulis dalam rentang ini.",
    asks=(
        Ask(
            select(
                series.TAP_15M,
                'sum(known) AS "Terdaftar"',
                'sum(unknown) AS "Belum terdaftar"',
                'sum(expected) AS "Biasanya"',
                where=[DEVICE],
                by=["time(15m)"],
                tail="fill(none)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="short",
    width=12,
    height=6,
)
_BACKLOG: Final = Panel(
    kind=Kind.TREND,
    title="Antrean",
    tells="Catatan yang belum dijawab dan umur yang tertua (sumbu kanan).",
    empty=_NONE_IN_RANGE,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'max(backlog) AS "Antrean"',
                'max(oldest_unsent_s) AS "Tertua"',
                where=[DEVICE],
                by=[STEP],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="short",
    columns=(Column(field="Tertua", unit="s", right=True),),
    width=8,
    height=7,
)
_CLOCK: Final = Panel(
    kind=Kind.TREND,
    title="Jam mesin terhadap jam server",
    tells="Selisih terjauh ke dua arah per selang waktu; positif = mesin lebih cepat.",
    empty=_NONE_IN_RANGE,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'max(clock_offset_ms) AS "Tercepat"',
                'min(clock_offset_ms) AS "Terlambat"',
                where=[DEVICE],
                by=[STEP],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="ms",
    width=8,
    height=7,
)
_DISK: Final = Panel(
    kind=Kind.TREND,
    title="Ruang simpan",
    tells="Ruang simpan kosong, terendah per selang waktu.",
    empty=_NONE_IN_RANGE,
    asks=(
        Ask(
            select(series.MACHINE, 'min(disk_free_pct) AS "Kosong"', where=[DEVICE], by=[STEP], tail="fill(null)"),
            "series",
            "$col",
        ),
    ),
    unit="percent",
    decimals=0,
    width=8,
    height=7,
)
_POSITIONS: Final = Panel(
    kind=Kind.TREND,
    title="Belum tiba, ditahan, ditolak",
    tells="Catatan yang dibuat mesin tetapi belum menjadi data, terbanyak per selang waktu.",
    empty=_NONE_IN_RANGE,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'max(missing) AS "Belum tiba"',
                'max(held) AS "Ditahan"',
                'max(rejected) AS "Ditolak"',
                where=[DEVICE],
                by=[STEP],
                tail="fill(null)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="short",
    width=12,
    height=7,
)
_DAYS: Final = Panel(
    kind=Kind.TREND,
    title="Menit mampu, terdengar, dan layanan per hari",
    tells="Per hari WIB dalam 30 hari, dan banyaknya dinyalakan ulang (sumbu kanan).",
    empty=f"belum ada rangkuman harian; {shared.NOTHING_YET}",
    asks=(
        Ask(
            select(
                series.MACHINE_DAY,
                'sum(minutes_able) AS "Mampu"',
                'sum(minutes_online) AS "Terdengar"',
                'sum(minutes_expected) AS "Layanan"',
                'sum(restarts) AS "Nyala ulang"',
                where=[DEVICE],
                by=[WIB_DAY],
                tail="fill(none)",
            ),
            "series",
            "$col",
        ),
    ),
    unit="m",
    columns=(Column(field="Nyala ulang", unit="short", bars=True, right=True),),
    span="30d",
    width=12,
    height=7,
)
_VERSION: Final = Panel(
    kind=Kind.TABLE,
    title="Versi program",
    tells="Baris menit terakhir dalam rentang.",
    empty=_NONE_IN_RANGE,
    asks=(
        Ask(
            select(
                series.MACHINE,
                'last(heard) AS "Pernah terdengar"',
                'version AS "Versi"',
                where=[DEVICE],
                by=["estate", "device"],
            )
        ),
    ),
    columns=(
        Column(field="Time", title="Baris terakhir", unit="dateTimeAsSystem"),
        shared.ESTATE_COLUMN,
        shared.DEVICE_PLAIN,
        Column(field="Pernah terdengar", ladder=specs.yes("Ya", "Belum pernah"), spoken=True),
        Column(field="Versi", unit="string"),
    ),
    width=10,
    height=8,
)
_EVENTS: Final = Panel(
    kind=Kind.TABLE,
    title="Kejadian",
    tells="Seratus kejadian terakhir mesin ini dalam 30 hari.",
    empty="tidak ada kejadian mesin ini dalam 30 hari.",
    asks=(
        Ask(
            select(
                series.MACHINE_EVENT,
                'text AS "Kejadian"',
                "kind",
                'duration_s AS "Lamanya"',
                'ongoing AS "Berlangsung"',
                where=[DEVICE],
                tail="ORDER BY time DESC LIMIT 100",
            )
        ),
    ),
    columns=(
        shared.WHEN,
        Column(field="Kejadian", unit="string"),
        Column(field="kind", title="Jenis", unit="string"),
        Column(field="Lamanya", unit="s"),
        Column(
            field="Berlangsung",
            ladder=specs.Ladder((specs.Step(None, "Selesai", specs.GREEN), specs.Step(1, "Berlangsung", specs.RED))),
            spoken=True,
        ),
    ),
    span="30d",
    width=14,
    height=8,
)

BOARD: Final = Board(
    uid="hadir-mesin",
    title="Mesin · Detail",
    question="Apakah mesin ini bekerja, dan adakah catatannya yang belum sampai?",
    when_red=(
        "**Mesin Luring**, lama hidup kecil setelah pulih: listrik. Lama hidup besar: jaringan.",
        "**Pembaca Terganggu**: cabut dan pasang pembaca; bila berulang, ganti. `hadir-edge doctor` menyebut sebabnya.",
        "**Jam Belum sinkron**: periksa NTP di jaringan rusun itu; tap tetap disimpan dan ditanggali ulang.",
        "**Selisih SALAH**: laporkan kepada pengembang dengan nama mesin dan waktunya; jangan hapus apa pun.",
    ),
    begin="now-24h",
    refresh="1m",
    variables=(shared.ESTATES, shared.ONE_DEVICE),
    notes=(shared.AT_MACHINE,),
    rows=(
        (_STATE, _HEARD, _AVAILABLE),
        (_LEDGER, _WAITING),
        (_TIMELINE, _TAPS),
        (_BACKLOG, _CLOCK, _DISK),
        (_POSITIONS, _DAYS),
        (_VERSION, _EVENTS),
    ),
)
