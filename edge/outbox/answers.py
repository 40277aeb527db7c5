"""What the cloud's answers do to the outbox: settle, reject, move after a conflict, send again, say what is gone.

What an answer means is decided by `verdicts`, pure; the rest carries it out inside the caller's transaction. Answers
may be late, doubled or out of order: each touches only rows that wait under the outbox it names.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract.messages import Event, Happening, Resume, Stored
from contract.ranges import Ranges
from edge.dating import Stamp
from edge.outbox import rows
from edge.taps import Answer

MAX_DECLARED = 100
"""Gaps declared in reply to one `resume`; the cloud asks again for the rest."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer changed here."""

    answers: tuple[Answer, ...] = ()
    moved: tuple[tuple[str, int], ...] = ()
    """Rows that left their place: (outbox, seq) they had until now."""


def verdicts(stored: Stored, digests: Mapping[int, str]) -> list[Answer]:
    """Which of the waiting rows (*digests* by seq) this answers: covered, and by the very bytes we hold."""
    covered = stored.covered
    return [
        _verdict(stored, seq) for seq, digest in digests.items() if seq in covered and stored.digests.get(seq) == digest
    ]


def _verdict(stored: Stored, seq: int) -> Answer:
    if seq in stored.rejected:
        return Answer(stored.outbox, seq, "rejected", reason=stored.rejected[seq])
    if seq in stored.held:
        return Answer(stored.outbox, seq, "held", reason=stored.held[seq])
    return Answer(stored.outbox, seq, "stored", stored.outcomes.get(seq))


def settle(db: sqlite3.Connection, stored: Stored, stamp: Stamp) -> Settled:
    """Carry out *stored*."""
    if not rows.is_ours(db, stored.outbox):
        return Settled()
    answers = verdicts(stored, _waiting_digests(db, stored))
    for answer in answers:
        if answer.verdict == "rejected":
            _reject(db, answer, stored.at)
        else:
            _mark(db, answer, stored.at)
    _report_rejections(db, answers, stamp)
    moved = _conflicts(db, stored)
    highest = max(stored.covered.highest, stored.conflicts.highest if moved else 0)
    if moved or highest > rows.last_seq(db, stored.outbox):
        rows.end(db, stored.outbox, highest, stamp)
    for seq in moved:
        if rows.renumber(db, stored.outbox, seq) is None:
            _reject(db, Answer(stored.outbox, seq, "rejected", reason="unreadable_here"), stored.at)
    return Settled(tuple(answers), tuple((stored.outbox, seq) for seq in moved))


def _waiting_digests(db: sqlite3.Connection, stored: Stored) -> dict[int, str]:
    if not stored.digests:
        return {}
    found = db.execute(
        "SELECT seq, digest FROM row WHERE outbox = ? AND state = 'waiting' AND seq BETWEEN ? AND ?",
        (stored.outbox, min(stored.digests), max(stored.digests)),
    )
    return {seq: digest for seq, digest in found if seq in stored.digests}


def _conflicts(db: sqlite3.Connection, stored: Stored) -> list[int]:
    """Waiting rows under whose seq the cloud holds other bytes. Called after the answered ones are marked."""
    found: list[int] = []
    for first, last in stored.conflicts.spans:
        waiting = db.execute(
            "SELECT seq FROM row WHERE outbox = ? AND state = 'waiting' AND seq BETWEEN ? AND ? ORDER BY seq",
            (stored.outbox, first, last),
        )
        found.extend(seq for (seq,) in waiting)
    return found


def _mark(db: sqlite3.Connection, answer: Answer, at: int) -> None:
    db.execute(
        "UPDATE row SET state = ?, settled_at = ?, frozen = 1 WHERE outbox = ? AND seq = ?",
        (answer.verdict, at, answer.outbox, answer.seq),
    )


def _reject(db: sqlite3.Connection, answer: Answer, at: int) -> None:
    """*at*: server time of the answer; from then on it is kept a while, whatever time the row itself shows."""
    place = (answer.outbox, answer.seq)
    db.execute(
        "INSERT OR REPLACE INTO rejected (outbox, seq, at, body, reason)"
        " SELECT outbox, seq, ?, body, ? FROM row WHERE outbox = ? AND seq = ?",
        (at, answer.reason, *place),
    )
    db.execute("DELETE FROM row WHERE outbox = ? AND seq = ?", place)


def _report_rejections(db: sqlite3.Connection, answers: Sequence[Answer], stamp: Stamp) -> None:
    """One event for all of them; never one about a rejected report, or it would go on for ever."""
    news = [answer for answer in answers if answer.verdict == "rejected" and not _is_report(db, answer)]
    if news:
        first, last = news[0], news[-1]
        detail = {"outbox": first.outbox, "reason": first.reason}
        counts = {"count": len(news), "first_seq": first.seq, "last_seq": last.seq}
        rows.insert(db, rows.event(stamp, Happening.RECORDS_REJECTED, **detail, **counts))


def _is_report(db: sqlite3.Connection, answer: Answer) -> bool:
    place = (answer.outbox, answer.seq)
    (text,) = db.execute("SELECT body FROM rejected WHERE outbox = ? AND seq = ?", place).fetchone()
    record = rows.record_of(text)
    return isinstance(record, Event) and record.event == Happening.RECORDS_REJECTED


def resume(db: sqlite3.Connection, asked: Resume, stamp: Stamp) -> Ranges:
    """Make what the cloud lost wait again, and declare what is gone. Which seqs are gone."""
    if rows.is_ours(db, asked.outbox):
        if asked.missing.highest > rows.last_seq(db, asked.outbox):
            rows.end(db, asked.outbox, asked.missing.highest, stamp)
        for span in asked.missing.spans:
            _send_again(db, asked.outbox, *span)
        gone = asked.missing - Ranges.single(_waiting_within(db, asked))
    else:
        gone = asked.missing
    for first, last in gone.spans[:MAX_DECLARED]:
        _declare(db, asked.outbox, first, last, stamp)
    return gone


def _send_again(db: sqlite3.Connection, outbox: str, first: int, last: int) -> None:
    within = (outbox, first, last)
    db.execute(
        "UPDATE row SET state = 'waiting', settled_at = NULL"
        " WHERE outbox = ? AND seq BETWEEN ? AND ? AND state <> 'waiting' AND body IS NOT NULL",
        within,
    )
    rejected = db.execute("SELECT seq, body FROM rejected WHERE outbox = ? AND seq BETWEEN ? AND ?", within).fetchall()
    rows.restore(db, [rows.Saved(0, outbox, seq, rows.WAITING, None, True, body) for seq, body in rejected], {})
    db.execute("DELETE FROM rejected WHERE outbox = ? AND seq BETWEEN ? AND ?", within)


def _waiting_within(db: sqlite3.Connection, asked: Resume) -> list[int]:
    if not asked.missing:
        return []
    found = db.execute(
        "SELECT seq FROM row WHERE outbox = ? AND state = 'waiting' AND seq BETWEEN ? AND ?",
        (asked.outbox, asked.missing.spans[0][0], asked.missing.highest),
    )
    return [seq for (seq,) in found]


def _declare(db: sqlite3.Connection, outbox: str, first: int, last: int, stamp: Stamp) -> None:
    """Say that these are gone; said before, the same words go again under the same seq."""
    said = db.execute(
        "SELECT row FROM declared WHERE outbox = ? AND first <= ? AND last >= ?", (outbox, first, last)
    ).fetchone()
    if said is not None:
        again = db.execute(
            "UPDATE row SET state = 'waiting', settled_at = NULL WHERE id = ? AND body IS NOT NULL", said
        )
        if again.rowcount:
            return
    from_ms, to_ms = made_between(db, outbox, first, last, stamp)
    detail: dict[str, str | int] = {"from": from_ms, "to": to_ms}
    report = rows.event(stamp, Happening.RECORDS_DROPPED, outbox=outbox, from_seq=first, to_seq=last, **detail)
    kept = rows.insert(db, report)
    db.execute(
        "INSERT OR REPLACE INTO declared SELECT ?, ?, ?, id FROM row WHERE outbox = ? AND seq = ?",
        (outbox, first, last, kept.outbox, kept.seq),
    )


def made_between(db: sqlite3.Connection, outbox: str, first: int, last: int, stamp: Stamp) -> tuple[int, int]:
    """When the seqs *first*..*last* were made: from what pruning noted, else from their neighbours; 0 = since ever."""
    spans = db.execute(
        "SELECT max(first, ?), min(last, ?), from_ms, to_ms FROM pruned WHERE outbox = ? AND first <= ? AND last >= ?",
        (first, last, outbox, last, first),
    ).fetchall()
    if spans and len(Ranges.of((low, high) for low, high, _, _ in spans)) == last - first + 1:
        return min(span[2] for span in spans), max(span[3] for span in spans)
    before = _time(db, "max", outbox, first, "<")
    after = _time(db, "min", outbox, last, ">")
    begin = 0 if before is None else before
    return begin, max(begin, stamp.at if after is None else after)


def _time(db: sqlite3.Connection, nearest: str, outbox: str, seq: int, side: str) -> int | None:
    """The latest time before, or the earliest after, *seq*, by rows with a date and by what pruning noted."""
    edge = "last" if side == "<" else "first"
    stamp = "to_ms" if side == "<" else "from_ms"
    found = db.execute(
        f"SELECT {nearest}(at) FROM (SELECT at FROM row WHERE outbox = ? AND seq {side} ? AND dated = 1"
        f" UNION ALL SELECT {stamp} FROM pruned WHERE outbox = ? AND {edge} {side} ?)",
        (outbox, seq, outbox, seq),
    ).fetchone()
    return None if found[0] is None else int(found[0])
