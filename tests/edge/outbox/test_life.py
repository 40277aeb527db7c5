"""Whatever happens between a machine and its centre, every tap that was shown as kept is stored, or declared gone.

A model of both ends and of the network between them; Hypothesis looks for an order of events that loses a tap.
"""

import os
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contract import codec
from contract.messages import Clock, Envelope, Event, Resume, Stored, Tap
from contract.ranges import Ranges
from contract.topics import DeviceId
from edge.dating import Stamp
from edge.outbox import Limits, NotKept, Outbox, open_outbox

DEVICE = DeviceId("DMG-01")
NOW = 1_800_000_000_000
BOOTS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1000)]
DAY = 24 * 3_600_000


@dataclass
class Cloud:
    """Ingest as the design describes it: digests decide, nothing is forgotten unless a backup is restored."""

    rows: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    dropped: dict[str, Ranges] = field(default_factory=lambda: defaultdict(Ranges))
    claimed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, payload: bytes) -> Stored:
        batch = codec.decode_batch(payload, device=DEVICE)
        assert not batch.unreadable
        outbox = batch.envelope.outbox
        self.claimed[outbox] = max(self.claimed[outbox], batch.envelope.confirmed)
        conflicts = []
        for one in batch.records:
            if self.rows[outbox].setdefault(one.record.seq, one.body) != one.body:
                conflicts.append(one.record.seq)
            elif isinstance(one.record, Event):
                self._hear(one.record)
        return self.answer(outbox, conflicts)

    def _hear(self, event: Event) -> None:
        if (dropped := event.dropped()) is not None:
            self.dropped[dropped.outbox] |= Ranges.of([(dropped.from_seq, dropped.to_seq)])
        if (closed := event.closed()) is not None:
            self.claimed[closed.outbox] = max(self.claimed[closed.outbox], closed.last_seq)

    def covered(self, outbox: str) -> Ranges:
        return Ranges.single(self.rows[outbox]) | self.dropped[outbox]

    def answer(self, outbox: str, conflicts: list[int]) -> Stored:
        covered = self.covered(outbox)
        return Stored(
            device=DEVICE,
            outbox=outbox,
            at=NOW,
            upto=covered.prefix,
            beyond=covered.beyond,
            digests={seq: codec.digest(body) for seq, body in self.rows[outbox].items()},
            conflicts=Ranges.single(conflicts),
        )

    def missing(self, outbox: str) -> Ranges:
        covered = self.covered(outbox)
        return covered.missing(max(covered.highest, self.claimed[outbox]))

    def taps(self) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for rows in self.rows.values():
            for body in rows.values():
                read = codec.decode_record(body)
                assert isinstance(read, codec.Received)
                if isinstance(read.record, Tap):
                    counts[read.record.card] += 1
        return counts

    def backup(self) -> "Cloud":
        copy = Cloud()
        for outbox, rows in self.rows.items():
            copy.rows[outbox] = dict(rows)
        copy.dropped.update(self.dropped)
        copy.claimed.update(self.claimed)
        return copy


class Life(RuleBasedStateMachine):
    """One machine, one centre, and everything that can happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.path = self.folder / "outbox.db"
        self.limits = Limits(row_budget=1000, reserve_bytes=0, keep_ms=35 * DAY)
        self.cloud = Cloud()
        self.backup = self.cloud.backup()
        self.shown: set[str] = set()
        self.lost_by_disk: set[str] = set()
        self.snapshot_shown: set[str] | None = None
        self.was_rolled_back = False
        self.may_be_gone = False
        self.up: list[bytes] = []
        self.down: list[Stored | Resume] = []
        self.sent: dict[tuple[str, int], str] = {}
        self.places: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.taps = 0
        self.boot = 0
        self.mono = 0
        self.is_trusted = True

    @initialize()
    def begin(self) -> None:
        self.outbox: Outbox = open_outbox(self.path, self.limits, self.stamp())

    def stamp(self) -> Stamp:
        self.mono += 1000
        wall, clock = (NOW + self.mono, Clock.TRUSTED) if self.is_trusted else (self.mono, Clock.UNTRUSTED)
        return Stamp(wall, self.mono, BOOTS[self.boot], clock)

    # ---- at the machine ----------------------------------------------------------------------------------------------

    @rule()
    def tap(self) -> None:
        self.taps += 1
        now, card = self.stamp(), f"card-{self.taps}"
        tap = Tap(seq=1, at=now.at, mono=now.mono, boot=now.boot, clock=now.clock, card=card)
        try:
            kept = self.outbox.keep(tap)
        except NotKept:
            return
        self.shown.add(card)
        self.places[card].add((kept.outbox, kept.seq))

    @rule(taps=st.integers(0, 3), lost=st.sampled_from(["nothing", "nothing", "the batch", "the answer"]))
    def a_usual_hour(self, taps: int, lost: str) -> None:
        """Taps, and an exchange in which something may be lost: what happens most of the time."""
        for _ in range(taps):
            self.tap()
        before = len(self.up)
        self.send(5, is_late=True)
        batches, self.up = self.up[before:], self.up[:before]
        for payload in batches if lost != "the batch" else []:
            answer = self.cloud.take(payload)
            if lost != "the answer":
                self.hear(answer)
                self.down.append(answer)

    @rule(count=st.integers(1, 5), is_late=st.booleans())
    def send(self, count: int, is_late: bool) -> None:
        patient_after = self.mono if is_late else -1
        rows = self.outbox.oldest(count, boot=BOOTS[self.boot], patient_after=patient_after)
        for outbox in dict.fromkeys(row.outbox for row in rows):
            seqs = sorted(row.seq for row in rows if row.outbox == outbox)  # a moved row comes earlier than its seq
            bodies = self.outbox.freeze(outbox, seqs)
            for seq, body in zip(seqs, bodies, strict=True):
                assert self.sent.setdefault((outbox, seq), body) == body, "a row changed after it was sent"
                self.note_place(outbox, seq, body)
            envelope = Envelope(device=DEVICE, outbox=outbox, confirmed=self.outbox.confirmed(outbox))
            self.up.append(codec.encode_batch(envelope, bodies))

    def note_place(self, outbox: str, seq: int, body: str) -> None:
        read = codec.decode_record(body)
        assert isinstance(read, codec.Received)
        if isinstance(read.record, Tap):
            self.places[read.record.card].add((outbox, seq))

    @rule()
    def redate(self) -> None:
        if self.is_trusted:
            self.outbox.redate(BOOTS[self.boot], NOW)

    @rule(trusted=st.booleans())
    def clock_changes(self, trusted: bool) -> None:
        self.is_trusted = trusted

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.boot += 1
        self.mono = 0
        self.outbox = open_outbox(self.path, self.limits, self.stamp())

    @rule(days=st.sampled_from([0, 36]))
    def prune(self, days: int) -> None:
        self.may_be_gone |= self.outbox.prune(NOW + days * DAY) > 0

    @rule()
    def copy_the_disk(self) -> None:
        self.outbox.close()
        shutil.copy(self.path, self.folder / "image")
        self.outbox = open_outbox(self.path, self.limits, self.stamp())
        self.snapshot_shown = set(self.shown)

    @precondition(lambda self: self.snapshot_shown is not None)
    @rule()
    def the_disk_forgets(self) -> None:
        self.outbox.close()
        for part in self.folder.glob("outbox.db-*"):
            part.unlink()
        shutil.copy(self.folder / "image", self.path)
        assert self.snapshot_shown is not None
        self.lost_by_disk |= self.shown - self.snapshot_shown
        self.sent.clear()
        self.was_rolled_back = self.may_be_gone = True
        self.outbox = open_outbox(self.path, self.limits, self.stamp())

    # ---- the network -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.up)
    @rule(data=st.data(), twice=st.booleans())
    def batch_arrives(self, data: st.DataObject, twice: bool) -> None:
        number = data.draw(st.integers(0, len(self.up) - 1))
        self.down.append(self.cloud.take(self.up[number] if twice else self.up.pop(number)))

    @precondition(lambda self: self.up)
    @rule()
    def batch_is_lost(self) -> None:
        self.up.pop()

    @precondition(lambda self: self.down)
    @rule(data=st.data(), twice=st.booleans())
    def answer_arrives(self, data: st.DataObject, twice: bool) -> None:
        number = data.draw(st.integers(0, len(self.down) - 1))
        self.hear(self.down[number] if twice else self.down.pop(number))

    @precondition(lambda self: self.down)
    @rule()
    def answer_is_lost(self) -> None:
        self.down.pop()

    def hear(self, message: Stored | Resume) -> None:
        if isinstance(message, Stored):
            self.outbox.settle(message, self.stamp())
        else:
            self.outbox.resume(message, self.stamp())

    # ---- at the centre -----------------------------------------------------------------------------------------------

    @rule()
    def cloud_is_backed_up(self) -> None:
        self.backup = self.cloud.backup()

    @rule()
    def cloud_is_restored(self) -> None:
        """What is on its way dies with it: nobody can tell an old answer of a lost database from a new one."""
        self.cloud = self.backup.backup()
        self.up.clear()
        self.down.clear()

    @rule()
    def cloud_asks_for_what_is_missing(self) -> None:
        self.down.extend(self.requests())

    def requests(self) -> list[Resume]:
        position = self.outbox.position()
        self.cloud.claimed[position.outbox] = max(self.cloud.claimed[position.outbox], position.confirmed)
        return [
            Resume(device=DEVICE, outbox=outbox, missing=missing)
            for outbox in list(self.cloud.claimed)
            if (missing := self.cloud.missing(outbox))
        ]

    # ---- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def never_confirmed_unseen(self) -> None:
        if self.was_rolled_back:
            return
        for card, count in self.cloud.taps().items():
            assert count == 1, f"{card} is stored {count} times"

    def teardown(self) -> None:
        try:
            self.settle_everything()
            missing = self.shown - self.lost_by_disk - set(self.cloud.taps())
            lost = {card for card in missing if not self.may_be_gone or not self.is_declared(card)}
            assert not lost, f"lost without a word: {sorted(lost)}"
            assert self.outbox.backlog()[0] == 0
        finally:
            self.outbox.close()
            shutil.rmtree(self.folder)

    def is_declared(self, card: str) -> bool:
        """Whether the centre was told that the record which held this tap is gone."""
        return any(seq in self.cloud.dropped[outbox] for outbox, seq in self.places[card])

    def settle_everything(self) -> None:
        """A quiet network at last: until nothing waits and nothing is missing."""
        for _ in range(40):
            for message in self.requests():
                self.hear(message)
            before = len(self.up)
            self.send(100, is_late=True)
            for payload in self.up[before:]:
                self.hear(self.cloud.take(payload))
            if not self.outbox.backlog()[0] and not self.requests():
                return
        raise AssertionError(f"the two never agree: {self.requests()}")


EXAMPLES = int(os.environ.get("HADIR_EXAMPLES", "60"))
"""Raise it (HADIR_EXAMPLES=2000) for a long search; the first sixty take ten seconds."""

Life.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
