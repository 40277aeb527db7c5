"""Replay directories under fire: whatever a line or a file holds, it is understood or refused in a sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from bench.fuzz.files import scratch
from cloud.replay import lines, sheets, translating
from cloud.replay.faults import BadReplay
from cloud.replay.lines import BadLine, Heartbeat, Numbered, Status
from cloud.replay.sheets import SHEETS
from contract import codec
from contract.topics import DeviceId

DEVICE: Final = DeviceId("DMG-01")
EIGHT: Final = "2026-03-02T08:00:00+07:00"
_HEAD: Final = {"arrived": EIGHT, "outbox": "", "seq": 1}
_PROOF: Final = {"boot": "b1", "uptime_s": 60, "last_seq": 4}
LINES: Final = (
    _HEAD | {"kind": "tap", "at": EIGHT, "card": "one", "clock": "untrusted", "uncertainty_s": 0.5},
    _HEAD | {"kind": "hours", "hour": EIGHT, "able_min": 60, "clock": "trusted"},
    _HEAD | {"kind": "event", "at": EIGHT, "event": "boot", "detail": {"why": "power", "n": 1}},
    _HEAD
    | {"kind": "event", "at": EIGHT, "event": "records_dropped"}
    | {"detail": {"outbox": "a", "from_seq": 1, "to_seq": 2, "from": EIGHT, "to": EIGHT}},
    _HEAD | {"kind": "event", "at": EIGHT, "event": "outbox_closed", "detail": {"outbox": "a", "last_seq": 2}},
    {"arrived": EIGHT, "kind": "heartbeat", "outbox": "", "confirmed": 2, "oldest_unsent": EIGHT, "backlog": 2}
    | {"clock_offset_ms": -5, "reader": "ok", "disk_free_pct": 80.5}
    | _PROOF,
    {"arrived": EIGHT, "kind": "status", "online": False, "session": 1, "reason": "goodbye"} | _PROOF,
    {"arrived": EIGHT, "kind": "status", "online": True, "session": 2, "reason": "birth"},
)
ROWS: Final = (
    "DMG,Rusun Daan Mogot,-6.15,106.71,2026-01-05\n",
    "DMG/A/01/01,DMG\n",
    "DMG/A/01/01,2026-01-05,2026-06-30,2026-01-01T08:00:00+07:00\n",
    '"card, one",DMG/A/01/01,holder,1,2026-01-05,2026-03-31,lost,\n',
    "DMG-01,DMG,2026-01-05T08:00:00+07:00,,Mon-Fri 08:00-16:00; Sat 08:00-12:00,\n",
    "*,2026-03-20,2026-03-27,lebaran,Idulfitri,\n",
    "DMG/A/01/01,2026-05-01,2026-05-14,\n",
    "DMG-01,2026-05-01,2026-05-02,\n",
)


def line(data: bytes) -> None:
    """A fact that ingest can take, and reads as it was made; or a sentence."""
    try:
        fact = lines.read(data)
    except BadLine as bad:
        assert bad.reason and "\n" not in bad.reason
        return
    if isinstance(fact, Numbered):
        made = translating.received(DEVICE, fact)
        assert codec.decode_record(made.body) == made, "ingest would read another record than was made"
    elif isinstance(fact, Heartbeat):
        (beat,) = translating.beats([translating.heartbeat(DEVICE, fact, session=1)])
        assert codec.decode(beat.text.encode(), type(beat.message), device=DEVICE) == beat.message
    elif isinstance(fact, Status):
        assert translating.status(DEVICE, fact).online is fact.online


def sheet(data: bytes) -> None:
    """The first byte says which file. Rows of its table's columns, or a sentence that names the file."""
    kind = SHEETS[data[0] % len(SHEETS)] if data else SHEETS[0]
    with scratch() as folder:
        path = folder / kind.file
        path.write_bytes(data[1:])
        try:
            for number, row in sheets.read(path, kind):
                assert number > 0 and set(row) == set(kind.row.model_fields)
        except BadReplay as bad:
            assert bad.file == kind.file and bad.reason and "\n" not in str(bad)


def line_seeds() -> Iterator[bytes]:
    """A good line of each kind."""
    for each in LINES:
        yield json.dumps(each).encode()


def sheet_seeds() -> Iterator[bytes]:
    """A good file of each kind."""
    for number, (kind, row) in enumerate(zip(SHEETS, ROWS, strict=True)):
        yield bytes([number]) + f"{kind.header}\n{row}".encode()
