"""The laws of files that others made or a power cut tore: registry files, journals, outboxes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from bench.fuzz.drawing import Draw
from bench.fuzz.wire import DEVICE, KEY, UID
from cloud.history.journal import Illegible, JournalHistory, read
from cloud.records.pseudonyms import Pepper
from contract import codec, series
from contract.messages import Clock, Envelope, Tap
from contract.series import BadPoint, Point, Value
from edge.dating import Stamp
from edge.outbox import Limits, open_outbox, salvage
from provisioning.registry import planning, reading
from provisioning.registry.planning import RegistryRefused
from provisioning.registry.reading import Line
from provisioning.registry.rows import KINDS

PEPPER: Final = Pepper(b"p" * 32)
NOW_MS: Final = 1_800_000_000_000
BOOT: Final = "00000001-0000-4000-8000-000000000000"
STAMP: Final = Stamp(NOW_MS, 1000, BOOT, Clock.TRUSTED)
_LIKE_A_CARD: Final = re.compile(r"[0-9a-fA-F]{8,20}")


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="hadir-fuzz-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


# ---- registry --------------------------------------------------------------------------------------------------------


def registry(data: bytes) -> None:
    """The first byte says which file. Lines or faults, never an exception; what a card cell held is never shown."""
    kind = KINDS[data[0] % len(KINDS)] if data else KINDS[0]
    content = data[1:]
    sheet = reading.read(content, kind, pepper=PEPPER)
    for fault in sheet.faults:
        assert fault.line >= 0 and fault.reason
        shown = set(_LIKE_A_CARD.findall(fault.reason)) & set(_LIKE_A_CARD.findall(content.decode("latin-1")))
        assert not shown, "what a cell held is shown"
    if sheet.lines:
        _plan({kind.table: sheet.lines})


def registry_folder(data: bytes) -> None:
    """A whole folder, each file cut out of the seeds with a few bytes changed: a plan, or every fault at once."""
    draw = Draw(data)
    lines: dict[str, tuple[Line, ...]] = {}
    for kind, text in zip(KINDS, REGISTRY, strict=True):
        lines[kind.table] = reading.read(_nicked(draw, text), kind, pepper=PEPPER).lines
    _plan(lines)


def _plan(lines: dict[str, tuple[Line, ...]]) -> None:
    try:
        plan = planning.plan({}, lines, now_ms=NOW_MS)
    except RegistryRefused as refused:
        assert refused.faults
        return
    again = planning.plan(plan.registry, lines, now_ms=NOW_MS + 1)
    assert not again.changes, "importing the same files twice changes something"


def _nicked(draw: Draw, text: bytes) -> bytes:
    """*text* with up to three cells of others, bytes or lines changed."""
    content = bytearray(text)
    for _ in range(draw.number(4)):
        at = draw.number(len(content))
        content[at : at + draw.number(4)] = draw.pick((b",", b"\n", b"\n".join(text.splitlines()[1:]), draw.take(2)))
    return bytes(content)


# ---- journal ---------------------------------------------------------------------------------------------------------


def journal(data: bytes) -> None:
    """Points and illegible lines, in any file; written again a point is the same; opened again a tail is cut."""
    with scratch() as folder:
        path = folder / "taps" / "2027-01-15.fuzz.lp"
        path.parent.mkdir()
        path.write_bytes(data)
        found = list(read(folder))
        for each in found:
            assert isinstance(each, Illegible) or series.read(each.line()) == each
        assert sum(1 for _ in found) == data.count(b"\n")
        _append(folder)
        whole = data[: data.rfind(b"\n") + 1]
        assert path.read_bytes() == whole + POINT.line().encode() + b"\n", "a torn tail is not cut off"


def _append(folder: Path) -> None:
    writer = JournalHistory(folder, "fuzz", now=lambda: datetime(2027, 1, 15, tzinfo=UTC))
    writer._attempt([POINT])  # the same without the thread that waits for the disk
    writer._close_files(keep=frozenset())


POINT: Final = series.TAP.point(NOW_MS * 10**6, {"device": DEVICE}, {"known": 1, "unknown": 0, "seq": 1, "lag": 5})


def line(data: bytes) -> None:
    """One line: a point that is the same when written again, or refused."""
    try:
        point = series.read(data.decode("utf-8", errors="surrogateescape"))
    except BadPoint:
        return
    assert isinstance(point, Point) and series.read(point.line()) == point


# ---- outbox ----------------------------------------------------------------------------------------------------------


def wreck(data: bytes) -> None:
    """An outbox with bytes of its file overwritten: the machine starts, saves what it can, and takes a tap."""
    draw = Draw(data)
    with scratch() as folder:
        path = folder / "outbox.db"
        path.write_bytes(_torn(draw, _outbox_image()))
        salvage.read(path)
        outbox = open_outbox(path, Limits(reserve_bytes=0), STAMP)
        kept = outbox.keep(_tap(99))
        assert outbox.is_waiting(kept)
        rows = outbox.oldest(200, boot=BOOT, patient_after=2**40)
        assert kept.seq in {row.seq for row in rows if row.outbox == kept.outbox}, "the tap would never be sent"
        for name in {row.outbox for row in rows}:
            texts = outbox.freeze(name, [row.seq for row in rows if row.outbox == name])
            envelope = Envelope(device=DEVICE, outbox=name, confirmed=outbox.confirmed(name))
            assert not codec.decode_batch(codec.encode_batch(envelope, texts), device=DEVICE).unreadable
        outbox.close()


def _torn(draw: Draw, image: bytes) -> bytes:
    torn = bytearray(image)
    for _ in range(1 + draw.number(6)):
        at = 16 * draw.number(max(1, len(torn) // 16)) + draw.number(16)
        match draw.number(4):
            case 0:
                torn[at : at + 4096] = bytes(len(torn[at : at + 4096]))
            case 1:
                source = 16 * draw.number(max(1, len(torn) // 16))
                torn[at : at + 512] = torn[source : source + len(torn[at : at + 512])]
            case 2:
                del torn[max(at, 100) :]
            case _:
                change = draw.take(1 + draw.number(8))
                torn[at : at + len(change)] = change
    return bytes(torn)


@cache
def _outbox_image() -> bytes:
    with scratch() as folder:
        path = folder / "outbox.db"
        outbox = open_outbox(path, Limits(reserve_bytes=0), STAMP)
        for number in range(60):
            outbox.keep(_tap(number))
        outbox.close()
        return path.read_bytes()


def _tap(number: int) -> Tap:
    card = str(KEY.public().seal(UID, DEVICE))
    return Tap(seq=1, at=NOW_MS + number, mono=number, boot=BOOT, clock=Clock.TRUSTED, card=card)


# ---- where the fuzzer begins -----------------------------------------------------------------------------------------

REGISTRY: Final = (
    b"estate,name,go_live,lat,lon\nDMG,Rusun Daan Mogot,2026-01-05,-6.15,106.71\nRWB,Rawa Bebek,2026-02-01,,\n",
    b"unit,estate\nDMG/A/01/01,DMG\nDMG/A/01/02,DMG\nRWB/B/02/07,RWB\n",
    b"unit,start,end\nDMG/A/01/01,2026-01-05,\nDMG/A/01/02,2026-01-05,2026-06-30\nRWB/B/02/07,2026-02-01,\n",
    b"card,role,unit,obliged,valid_from,valid_to,ended_because\n04A1B2C3D4E5F6,holder,DMG/A/01/01,1,2026-01-05,,\n"
    b"04a1b2c3d4e5f7,member,DMG/A/01/02,0,2026-01-05,2026-03-31,lost\n04a1b2c3d4e5f8,test,,0,2026-01-05,,\n",
    b"device,estate,installed,removed,service_hours\nDMG-01,DMG,2026-01-05T08:00:00+07:00,,Mon-Fri 08:00-16:00\n"
    b"RWB-01,RWB,2026-02-01T08:00:00+07:00,2026-03-01T08:00:00+07:00,\n",
    b"scope,from,to,kind,reason\n*,2026-03-20,2026-03-27,lebaran,Idulfitri\nDMG,2026-04-01,2026-04-02,flood,Banjir\n",
    b"unit,from,to\nDMG/A/01/01,2026-05-01,2026-05-14\n",
    b"device,from,to\nDMG-01,2026-05-01,2026-05-02\n",
)


def registry_seeds() -> Iterator[bytes]:
    """A good file of each kind."""
    for number, text in enumerate(REGISTRY):
        yield bytes([number]) + text


def journal_seeds() -> Iterator[bytes]:
    """A good journal, a torn one."""
    yield b"".join(each + b"\n" for each in line_seeds())
    yield POINT.line().encode() + b"\n" + POINT.line().encode()[:30]


def line_seeds() -> Iterator[bytes]:
    """A point with fields of each type."""
    yield POINT.line().encode()
    event: dict[str, Value | None] = {
        "kind": "boot",
        "text": "Mesin menyala",
        "end_ms": 1,
        "duration_s": 0,
        "ongoing": 0,
    }
    yield series.MACHINE_EVENT.point(1, {"device": DEVICE, "estate": "DMG"}, event).line().encode()
    expected: dict[str, Value | None] = {"known": 3, "unknown": 1, "expected": 2.5}
    yield series.TAP_15M.point(1, {"device": DEVICE, "estate": "DMG"}, expected).line().encode()


def wreck_seeds() -> Iterator[bytes]:
    """Wounds in each part of the file."""
    blocks = len(_outbox_image()) // 16
    for number in range(16):
        yield bytes([1]) + (blocks * number // 16).to_bytes(2, "big") + bytes([0, number % 4]) + bytes(range(16))
    yield b""
