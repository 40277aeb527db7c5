"""What every panel and note must show, written down from what it says it shows, never from its query."""

from collections.abc import Callable
from statistics import fmean

from panel_figures import (
    SILENT,
    UNCOUNTED,
    affected,
    available,
    backlog,
    band,
    completeness,
    daily,
    difference,
    event_rows,
    flags_by_kind,
    heard_share,
    hour_profile,
    hours,
    late_days,
    ledger,
    map_points,
    minutes_with_data,
    months,
    ongoing,
    online_shares,
    outages,
    presence,
    rank,
    rates,
    registered,
    stages,
    states,
    sums,
    taps,
    today,
    top_ten,
    unheard,
    waiting_now,
)
from panel_rows import Row, Window, days, extremes, newest, newest_of, pick, total

from grafana.influxql import Choice

WORST = {
    "Keadaan": "online",
    "Terakhir terdengar": "last_seen_s",
    "Pembaca": "reader_ok",
    "Antrean": "backlog",
    "Tertua": "oldest_unsent_s",
    "Selisih jam": "clock_offset_ms",
    "Ruang simpan": "disk_free_pct",
    "Versi": "version",
}
MINUTES = {
    "Mampu": "minutes_able",
    "Terdengar": "minutes_online",
    "Layanan": "minutes_expected",
    "Nyala ulang": "restarts",
}
FLAG_COLUMNS = {"Terbuka": "open", "Belum diambil": "unacknowledged", "Didiamkan": "hushed", "Umur tertua": "oldest_s"}
STAGE_COLUMNS = {"Pesan": "msgs_total", "Galat": "errors_total", "Surat mati": "dlq_total", "Ditahan": "held"}
KNOWN = {"Terdaftar": ("known",), "Belum terdaftar": ("unknown",)}
NOTE = {"text": "text", "estate": "estate", "kind": "kind", "end_ms": "end_ms"}

EXPECTED: dict[str, dict[str, Callable[[Window], list[Row]]]] = {
    "hadir-armada": {
        "Mesin daring": lambda w: states(w.here("machine")),
        "Rusun terdampak": affected,
        "Umur data": lambda w: [{"time": max(r["time"] for r in w.every("fleet"))}],
        "Dinding dapat dipercaya?": minutes_with_data,
        "Tap hari ini": today,
        "Tap per 15 menit, hari ini dan biasanya": lambda w: taps(
            w.steps(w.here("tap_15m"), 900), **{"Hari ini": ("known", "unknown"), "Biasanya": ("expected",)}
        ),
        "Antrean di mesin": backlog,
        "Sedang terganggu, dan sejak kapan": ongoing,
        "Keadaan mesin": lambda w: online_shares(w, w.here("machine")),
        "Semua mesin, terparah dahulu": lambda w: newest_of(w.here("machine"), "estate", "device", **WORST),
        "Letak rusun": map_points,
        "Flag terbuka menurut jenis": flags_by_kind,
    },
    "hadir-rusun": {
        "Mesin daring di rusun ini": lambda w: states(w.here("machine")),
        "Tap hari ini": lambda w: [
            {title: total(w.here("tap_15m"), *names) for title, names in {**KNOWN, "Biasanya": ("expected",)}.items()}
        ],
        "Unit tanpa tap": lambda w: [pick(w.here("attendance_day")[-1], **SILENT)],
        "Keadaan mesin": lambda w: online_shares(w, w.both("machine")),
        "Tap per 15 menit": lambda w: taps(w.steps(w.both("tap_15m"), 900), **KNOWN),
        "Kehadiran per hari dan kelengkapannya": presence,
        "Hari unit yang tidak dihitung, menurut sebab": lambda w: [sums(w.here("attendance_day"), **UNCOUNTED)],
        "Tap menurut jam": lambda w: hours(w.here("tap_hour"), "hour", **{"Tap": "n", "Jam disembunyikan": "withheld"}),
        "Flag rusun ini": lambda w: newest_of(w.here("flag"), "estate", "kind", **FLAG_COLUMNS),
        "Kejadian mesin": lambda w: event_rows(
            w.here("machine_event"), Kejadian="text", device="device", Lamanya="duration_s", Keadaan="ongoing"
        ),
        "Kejadian rusun": lambda w: event_rows(
            w.here("estate_event"), Kejadian="text", kind="kind", Lamanya="duration_s"
        ),
    },
    "hadir-mesin": {
        "Keadaan sekarang": lambda w: [
            pick(w.mine("machine")[-1], Mesin="online", Pembaca="reader_ok", Jam="clock_trusted")
        ],
        "Terakhir terdengar dan hidup sejak": lambda w: [
            pick(w.mine("machine")[-1], Terdengar="last_seen_s", Hidup="uptime_s", Keadaan="last_seen_s")
        ],
        "Ketersediaan 30 hari": heard_share,
        "Buku catatan: dibuat, tersimpan, belum tiba, ditahan, ditolak": ledger,
        "Menunggu di mesin": lambda w: [
            pick(
                w.mine("machine")[-1],
                **{
                    "Antrean": "backlog",
                    "Tertua": "oldest_unsent_s",
                    "Ditolak penuh": "refused",
                    "Disisihkan": "parked",
                },
            )
        ],
        "Terdengar, pembaca, jam": lambda w: extremes(
            w.steps(w.mine("machine")),
            Terdengar=(fmean, "online"),
            Pembaca=(fmean, "reader_ok"),
            Jam=(fmean, "clock_trusted"),
        ),
        "Tap per 15 menit": lambda w: taps(w.steps(w.mine("tap_15m"), 900), **KNOWN, Biasanya=("expected",)),
        "Antrean": lambda w: extremes(
            w.steps(w.mine("machine")), Antrean=(max, "backlog"), Tertua=(max, "oldest_unsent_s")
        ),
        "Jam mesin terhadap jam server": lambda w: extremes(
            w.steps(w.mine("machine")), Tercepat=(max, "clock_offset_ms"), Terlambat=(min, "clock_offset_ms")
        ),
        "Ruang simpan": lambda w: extremes(w.steps(w.mine("machine")), Kosong=(min, "disk_free_pct")),
        "Belum tiba, ditahan, ditolak": lambda w: extremes(
            w.steps(w.mine("machine")),
            **{"Belum tiba": (max, "missing"), "Ditahan": (max, "held"), "Ditolak": (max, "rejected")},
        ),
        "Menit mampu, terdengar, dan layanan per hari": lambda w: daily(w.mine("machine_day"), **MINUTES),
        "Versi program": lambda w: [
            {"time": row["time"]} | pick(row, **{"Pernah terdengar": "heard", "Versi": "version", "estate": "estate"})
            for row in newest(w.mine("machine"), "device")
        ],
        "Kejadian": lambda w: event_rows(
            w.mine("machine_event"), Kejadian="text", kind="kind", Lamanya="duration_s", Berlangsung="ongoing"
        ),
    },
    "hadir-kehadiran": {
        "Hadir pada hari terakhir, dan kelengkapannya": lambda w: presence(w, word=True),
        "Cakupan pendaftaran": registered,
        "Unit tanpa tap": lambda w: daily(w.here("attendance_day"), **SILENT),
        "Kehadiran, kelengkapan, dan tap yang tiba terlambat": lambda w: presence(w, late=True),
        "Sebaran antarrusun": band,
        "Rusun menurut kehadiran dalam rentang": rank,
        "Hari yang diisi terlambat": late_days,
        "Tap menurut rusun dan jam": lambda w: hours(w.here("tap_hour"), "estate", "hour", Tap="n"),
        "Tap rata-rata menurut jam": hour_profile,
        "Tap kartu belum terdaftar": lambda w: daily(
            w.here("attendance_day"), **{"Belum terdaftar": "unknown_taps", "Semua tap": "taps"}
        ),
        "Bulan demi bulan": months,
    },
    "hadir-pipa": {
        "Kapan setiap tahap terakhir menulis": lambda w: newest_of(
            w.every("pipeline"), "instance", "stage", time="time", Antrean="backlog", **STAGE_COLUMNS
        ),
        "Surat mati 24 jam": lambda w: [dict.fromkeys(("Surat mati", "Keadaan"), difference(w, "dlq_total", 900))],
        "Ditahan dan menunggu": waiting_now,
        "Pesan per menit": lambda w: rates(w, "pipeline", ("instance", "stage"), Pesan="msgs_total"),
        "Galat, surat mati, dan ganda per menit": lambda w: rates(
            w,
            "pipeline",
            ("instance", "stage"),
            **{"Galat": "errors_total", "Surat mati": "dlq_total", "Ganda": "duplicates_total"},
        ),
        "Lama melewati tahap": lambda w: stages(
            w, p50=(fmean, "lag_p50_ms"), p95=(max, "lag_p95_ms"), terlama=(max, "lag_max_ms")
        ),
        "Menunggu dan ditahan": lambda w: stages(w, menunggu=(max, "backlog"), ditahan=(max, "held")),
        "Broker: klien, langganan, pesan tersimpan": lambda w: extremes(
            w.steps(w.every("broker")),
            Klien=(min, "clients_connected"),
            Langganan=(min, "subscribed"),
            Tersimpan=(max, "retained"),
        ),
        "Broker: pesan masuk, keluar, dibuang per menit": lambda w: rates(
            w, "broker", (), Masuk="received_total", Keluar="sent_total", Dibuang="dropped_total"
        ),
        "Broker: lalu lintas per menit": lambda w: rates(
            w, "broker", (), Masuk="received_bytes_total", Keluar="sent_bytes_total"
        ),
        "Broker: ingatan dan antrean": lambda w: extremes(
            w.steps(w.every("broker")), Ingatan=(max, "heap_bytes"), Antrean=(max, "queued")
        ),
        "Broker hidup sejak": lambda w: newest_of(w.every("broker"), "instance", Hidup="uptime_s"),
    },
    "hadir-sla": {
        "Ketersediaan armada": lambda w: available(w.here("machine_day")),
        "Kelengkapan catatan": completeness,
        "Padam: banyaknya, rata-rata, terlama": outages,
        "Menit layanan yang tidak terdengar, per hari": lambda w: [
            {"time": at, "Tidak terdengar": unheard(rows)} for at, rows in days(w.here("machine_day")).items()
        ],
        "Per rusun": lambda w: available(w.here("machine_day"), "estate", Tap="taps"),
        "Sepuluh mesin yang paling lama tidak terdengar": top_ten,
        "Per mesin": lambda w: available(
            w.here("machine_day"), "estate", "device", **{"Tap": "taps", "Nyala ulang": "restarts"}
        ),
    },
}
NOTES: dict[str, Callable[[Window], list[Row]]] = {
    "@Kejadian rusun": lambda w: event_rows(w.here("estate_event"), **NOTE),
    "@Mesin luring": lambda w: event_rows([r for r in w.here("machine_event") if r["kind"] == "offline"], **NOTE),
    "@Kejadian mesin": lambda w: event_rows(w.mine("machine_event"), **NOTE),
}

ALL = {"estate": "$__all", "device": "$__all"}
CHOICES: dict[str, list[dict[str, Choice]]] = {
    "hadir-armada": [ALL, {"estate": ["DMG", "MRD"]}],
    "hadir-rusun": [{"estate": "MRD", "device": "$__all"}, {"estate": "DMG", "device": ["DMG-02", "DMG-04"]}],
    "hadir-mesin": [{"estate": "$__all", "device": device} for device in ("MRD-02", "KRA-01", "MRD-05")],
    "hadir-kehadiran": [ALL, {"estate": ["DMG", "MRD"]}],
    "hadir-pipa": [{}],
    "hadir-sla": [ALL, {"estate": ["DMG", "MRD"]}],
}
