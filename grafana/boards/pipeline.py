"""Pipa Data: does everything that machines send become data, how fast, and what is in the way?"""

from __future__ import annotations

from typing import Final

from contract import series
from grafana import specs
from grafana.queries import STEP, select
from grafana.specs import Ask, Board, Column, Kind, Panel

_SILENT: Final = "tidak ada program pipa yang menulis dalam rentang ini: ingest berhenti, atau belum pernah dijalankan."
_NO_BROKER: Final = "angka $SYS broker belum ditulis dalam rentang ini."
_STAGES: Final = ("instance", "stage")
_BY_STAGE: Final = "$tag_stage · $col"


def _of_stages(*columns: str, tail: str = "fill(null)") -> Ask:
    return Ask(select(series.PIPELINE, *columns, by=[STEP, "stage"], tail=tail), "series", _BY_STAGE)


def _rate(field: str, name: str) -> str:
    return f'non_negative_derivative(last({field}), 1m) AS "{name}"'


def _rates(*columns: str) -> Ask:
    return Ask(select(series.PIPELINE, *columns, by=[STEP, *_STAGES], tail="fill(none)"), "series", _BY_STAGE)


def _of_broker(*columns: str, tail: str = "fill(null)") -> Ask:
    return Ask(select(series.BROKER, *columns, by=[STEP], tail=tail), "series", "$col")


def _trend(title: str, tells: str, ask: Ask, *, unit: str = "short", empty: str = _SILENT) -> Panel:
    return Panel(kind=Kind.TREND, title=title, tells=tells, empty=empty, asks=(ask,), unit=unit, width=12, height=7)


_FRESH: Final = Panel(
    kind=Kind.TABLE,
    title="Kapan setiap tahap terakhir menulis",
    tells="Waktu baris terakhir setiap program dan tahap dalam satu jam; yang berhenti tampak dari waktunya sendiri.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                series.PIPELINE,
                'last(msgs_total) AS "Pesan"',
                'errors_total AS "Galat"',
                'dlq_total AS "Surat mati"',
                'held AS "Ditahan"',
                'backlog AS "Antrean"',
                by=_STAGES,
            )
        ),
    ),
    columns=(
        Column(field="Time", title="Terakhir menulis", unit="dateTimeFromNow"),
        Column(field="instance", title="Program", unit="string"),
        Column(field="stage", title="Tahap", unit="string"),
    ),
    worst=(("Terakhir menulis", False),),
    span="1h",
    width=12,
    height=7,
)
_DEAD: Final = Panel(
    kind=Kind.STAT,
    title="Surat mati 24 jam",
    tells="Catatan yang tidak akan pernah dapat dibaca atau disimpan, 24 jam terakhir, semua tahap.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                select(
                    series.PIPELINE,
                    "non_negative_difference(last(dlq_total)) AS d",
                    by=["time(15m)", *_STAGES],
                    tail="fill(none)",
                ),
                'sum(d) AS "Surat mati"',
                'sum(d) AS "Keadaan"',
            )
        ),
    ),
    columns=(Column(field="Surat mati"), Column(field="Keadaan", ladder=specs.rising(1, 20), spoken=True)),
    span="24h",
    width=6,
    height=7,
)
_HELD: Final = Panel(
    kind=Kind.STAT,
    title="Ditahan dan menunggu",
    tells="Catatan yang menunggu registri, kunci, atau jam; dan pesan yang menunggu di tahap mana pun.",
    empty=_SILENT,
    asks=(
        Ask(
            select(
                select(series.PIPELINE, "last(held) AS h", "last(backlog) AS b", by=_STAGES),
                'sum(h) AS "Ditahan"',
                'sum(b) AS "Menunggu"',
                'sum(b) AS "Keadaan"',
            )
        ),
    ),
    columns=(
        Column(field="Ditahan"),
        Column(field="Menunggu"),
        Column(field="Keadaan", ladder=specs.rising(1000, 10000), spoken=True),
    ),
    span="5m",
    width=6,
    height=7,
)
_FLOW: Final = _trend(
    "Pesan per menit",
    "Laju setiap program dan tahap; program yang dinyalakan ulang meninggalkan celah, bukan lonjakan.",
    _rates(_rate("msgs_total", "Pesan")),
)
_ERRORS: Final = _trend(
    "Galat, surat mati, dan ganda per menit",
    "Percobaan yang gagal, surat mati, dan catatan yang sudah pernah disimpan. Ganda itu wajar setelah gangguan.",
    _rates(_rate("errors_total", "Galat"), _rate("dlq_total", "Surat mati"), _rate("duplicates_total", "Ganda")),
)
_LAG: Final = _trend(
    "Lama melewati tahap",
    "Median, persentil ke-95, dan terlama, menurut program itu sendiri per menit.",
    _of_stages('mean(lag_p50_ms) AS "p50"', 'max(lag_p95_ms) AS "p95"', 'max(lag_max_ms) AS "terlama"'),
    unit="ms",
)
_WAITING: Final = _trend(
    "Menunggu dan ditahan",
    "Terbanyak per selang waktu, per tahap.",
    _of_stages('max(backlog) AS "menunggu"', 'max(held) AS "ditahan"'),
)
_CLIENTS: Final = _trend(
    "Broker: klien, langganan, pesan tersimpan",
    "Menurut broker sendiri ($SYS), sekali semenit.",
    _of_broker('min(clients_connected) AS "Klien"', 'min(subscribed) AS "Langganan"', 'max(retained) AS "Tersimpan"'),
    empty=_NO_BROKER,
)
_BROKER_FLOW: Final = _trend(
    "Broker: pesan masuk, keluar, dibuang per menit",
    "Yang dibuang seharusnya nol: mesin mengirim ulang, tetapi broker kekurangan ruang.",
    _of_broker(
        _rate("received_total", "Masuk"),
        _rate("sent_total", "Keluar"),
        _rate("dropped_total", "Dibuang"),
        tail="fill(none)",
    ),
    empty=_NO_BROKER,
)
_BROKER_BYTES: Final = _trend(
    "Broker: lalu lintas per menit",
    "Byte masuk dan keluar per menit.",
    _of_broker(_rate("received_bytes_total", "Masuk"), _rate("sent_bytes_total", "Keluar"), tail="fill(none)"),
    unit="bytes",
    empty=_NO_BROKER,
)
_BROKER_MEMORY: Final = _trend(
    "Broker: ingatan dan antrean",
    "Ingatan terpakai, dan pesan yang menunggu klien (sumbu kanan).",
    _of_broker('max(heap_bytes) AS "Ingatan"', 'max(queued) AS "Antrean"'),
    unit="bytes",
    empty=_NO_BROKER,
)
_BROKER_AGE: Final = Panel(
    kind=Kind.STAT,
    title="Broker hidup sejak",
    tells="Lama hidup broker menurut $SYS; broker yang baru dinyalakan telah lupa semua pesan tersimpan.",
    empty=_NO_BROKER,
    asks=(Ask(select(series.BROKER, 'last(uptime_s) AS "Hidup"', by=["instance"])),),
    unit="s",
    span="5m",
    width=24,
    height=5,
)

BOARD: Final = Board(
    uid="hadir-pipa",
    title="Pipa Data",
    question="Apakah semua yang dikirim mesin menjadi data, secepat apa, dan apa yang menghalangi?",
    when_red=(
        "**Satu tahap berhenti menulis**: lihat log program itu; tidak ada tap yang hilang, mesin menyimpannya.",
        "**Surat mati**: `dead_letters` di SQL menyebut alasannya; satu alasan berulang berarti satu program salah.",
        "**Menunggu naik terus**: InfluxDB atau PostgreSQL lambat atau mati; mesin mengirim ulang sampai dijawab.",
        "**Broker membuang pesan**: naikkan `max_queued_messages`, cari klien yang tidak membaca.",
    ),
    begin="now-6h",
    refresh="1m",
    rows=(
        (_FRESH, _DEAD, _HELD),
        (_FLOW, _ERRORS),
        (_LAG, _WAITING),
        (_CLIENTS, _BROKER_FLOW),
        (_BROKER_BYTES, _BROKER_MEMORY),
        (_BROKER_AGE,),
    ),
)
