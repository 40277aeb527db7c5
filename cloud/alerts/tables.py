"""What the command line shows: tables for people, in Indonesian, or the same as JSON. Lists name no household."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.table import Table

from cloud.alerts import evidence
from cloud.alerts.checking import Obstacle, Trouble
from cloud.alerts.flags.chain import Event
from cloud.alerts.flags.flag import Condition, Flag, Handling, Hush
from cloud.alerts.kinds import NATURE
from cloud.alerts.texts import wording

CONDITIONS: Final[Mapping[Condition, str]] = {
    Condition.PENDING: "menunggu",
    Condition.OPEN: "terbuka",
    Condition.RECOVERING: "memulih",
    Condition.CLOSED: "selesai",
    Condition.RETRACTED: "ditarik kembali",
    Condition.SUPERSEDED: "digantikan",
}
HANDLINGS: Final[Mapping[Handling, str]] = {
    Handling.NEW: "belum diambil",
    Handling.ACKNOWLEDGED: "diambil",
    Handling.ASSIGNED: "ditugaskan",
    Handling.DECIDED: "diputuskan",
}
HUSHES: Final[Mapping[Hush, str]] = {
    Hush.INHIBITED: "ada sebab di atasnya",
    Hush.SILENCE: "permintaan petugas",
    Hush.QUIET_HOURS: "jam tenang",
    Hush.MASS_GATE: "gerbang massal",
    Hush.SHADOW: "mode bayangan",
    Hush.VERIFIED: "sudah diverifikasi",
}
OBSTACLES: Final[Mapping[Obstacle, str]] = {
    Obstacle.NO_MACHINE: "tidak ada mesin terpasang: tidak ada hari yang dapat dihitung",
    Obstacle.NO_SERVICE: "jam layanan mesin tidak pernah jatuh pada hari periode: tidak ada hari yang dapat dihitung",
    Obstacle.BAD_HOURS: "jam layanan mesin tidak dapat dibaca",
    Obstacle.EVERY_MINUTE: "min_able_share = 1: satu kali mesin menyala ulang saja, harinya tidak dihitung",
    Obstacle.UNKNOWN_ESTATE: "kebijakan menyebut rusun yang tidak terdaftar",
}
EVENTS: Final[Mapping[str, str]] = {
    "watch": "dipantau",
    "opened": "dibuka",
    "reminded": "diingatkan",
    "case": "menjadi kasus",
    "closed": "selesai",
    "retracted": "ditarik kembali",
    "superseded": "digantikan",
    "held": "ditahan gerbang massal",
    "spoken": "diberitahukan kemudian",
    "worsened": "memburuk",
    "recovering": "mulai memulih",
    "relapsed": "kambuh",
    "lapsed": "pantauan berakhir",
    "hushed": "dibungkam",
    "unhushed": "tidak lagi dibungkam",
    "acknowledged": "diambil",
    "ack_expired": "masa pengambilan habis",
    "assigned": "ditugaskan",
    "decided": "diputuskan",
    "gate_released": "dilepas dari gerbang massal",
    "gate_dismissed": "dibatalkan di gerbang massal",
}
HIDDEN: Final = "(lihat rincian)"
"""Instead of a household, in lists."""


def flags(those: Iterable[Flag]) -> Table:
    """A list of flags."""
    table = Table(title="Flag", title_justify="left")
    for column in ("Nomor", "Tingkat", "Jenis", "Rusun", "Perihal", "Keadaan", "Penanganan", "Sejak", "Dibungkam"):
        table.add_column(column, no_wrap=column in ("Nomor", "Jenis"))
    for flag in those:
        table.add_row(
            flag.number,
            flag.severity,
            flag.kind,
            flag.estate or "-",
            HIDDEN if is_about_people(flag) else flag.subject,
            CONDITIONS[flag.condition],
            " ".join(part for part in (HANDLINGS[flag.handling], flag.owner) if part),
            wording.instant(flag.since_ms),
            ", ".join(HUSHES[hush] for hush in flag.hushed) or "-",
        )
    return table


def is_about_people(flag: Flag) -> bool:
    """Whether naming its subject would name a household."""
    return NATURE[flag.kind].is_about_people


def flag_as_json(flag: Flag, *, with_subject: bool) -> dict[str, object]:
    """A flag for programs; without its subject and evidence where those name a household and it is a list."""
    shown: dict[str, object] = {
        "flag": flag.number,
        "kind": flag.kind,
        "estate": flag.estate,
        "severity": flag.severity,
        "condition": flag.condition,
        "handling": flag.handling,
        "owner": flag.owner,
        "outcome": flag.outcome,
        "hushed": dict(flag.hushed),
        "since_ms": flag.since_ms,
        "opened_ms": flag.opened_ms,
        "ended_ms": flag.ended_ms,
    }
    if with_subject or not is_about_people(flag):
        shown |= {"subject": flag.subject, "evidence": dict(flag.evidence)}
    return shown


def details(flag: Flag) -> Table:
    """One flag, with its evidence."""
    table = Table(title=flag.number, title_justify="left", show_header=False)
    rows: list[tuple[str, object]] = [
        ("Jenis", flag.kind),
        ("Perihal", flag.subject),
        ("Rusun", flag.estate or "-"),
        ("Tingkat", flag.severity),
        ("Keadaan", CONDITIONS[flag.condition]),
        ("Penanganan", HANDLINGS[flag.handling]),
        ("Oleh", flag.owner or "-"),
        ("Keputusan", flag.outcome or "-"),
        ("Sejak", wording.instant(flag.since_ms)),
        ("Dibuka", _when(flag.opened_ms)),
        ("Berakhir", _when(flag.ended_ms)),
        *((f"Dibungkam: {HUSHES[hush]}", reason) for hush, reason in flag.hushed.items()),
        *evidence.figures(flag.evidence),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    return table


def recount(flag: Flag) -> list[Table]:
    """What an official counts again by hand: periods and days; empty for flags that rest on none."""
    found: list[Table] = []
    for title, columns, rows in (
        ("Periode", ("Tanggal", "Hasil", "Hari terhitung"), list(evidence.periods(flag.evidence))),
        ("Hari demi hari", ("Tanggal", "Keterangan"), list(evidence.days(flag.evidence))),
    ):
        if rows:
            table = Table(*columns, title=title, title_justify="left")
            for row in rows:
                table.add_row(*row)
            found.append(table)
    return found


def events(those: Sequence[Event]) -> Table:
    """What happened to a flag."""
    table = Table(title="Riwayat", title_justify="left")
    for column in ("No.", "Waktu", "Kejadian", "Oleh"):
        table.add_column(column)
    for event in those:
        what = EVENTS.get(event.what, event.what)
        table.add_row(str(event.event_id), wording.instant(event.at_ms), what, event.by or "aturan")
    return table


def event_as_json(event: Event) -> dict[str, object]:
    """An event for programs."""
    return {"id": event.event_id, "at_ms": event.at_ms, "what": event.what, "by": event.by, "hash": event.hash}


def troubles(those: Iterable[Trouble]) -> Table:
    """Where a policy does not fit the registry."""
    table = Table(title="Kebijakan", title_justify="left")
    for column in ("Rusun", "Berlaku mulai", "Masalah"):
        table.add_column(column)
    for each in those:
        table.add_row(each.estate, wording.day(each.since), OBSTACLES[each.obstacle])
    return table


def _when(ms: int | None) -> str:
    return wording.instant(ms) if ms is not None else "-"
