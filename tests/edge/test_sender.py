"""Rows go out, answers come in: the sender with a line that exists only here."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from contract import codec, topics
from contract.messages import Clock, Event, Resume, Stored, Tap
from contract.ranges import Ranges
from contract.topics import DeviceId, Kind, Topic
from edge.dating import Dating
from edge.link import Arrived, Connected, Disconnected, Published
from edge.machine import Machine
from edge.outbox import Limits, Outbox, OutboxUnavailable, open_outbox
from edge.pacing import Pacer, Policy
from edge.sender import Sender
from edge.taps import Answer

DEVICE = DeviceId("DMG-01")
BOOT = "00000001-0000-4000-8000-000000000000"
NOW = 1_800_000_000_000


@dataclass
class Hands:
    """A clock moved by hand."""

    mono: int = 1_000_000
    base: int = NOW
    trusted: bool = True
    boot: str = BOOT

    def wall_ms(self) -> int:
        return self.base + self.mono

    def mono_ms(self) -> int:
        return self.mono

    def is_trusted(self) -> bool:
        return self.trusted

    def real_seconds(self, ms: int) -> float:
        return ms / 1000


@dataclass
class Wire:
    """A connection that remembers what was published."""

    is_connected: bool = True
    published: list[tuple[Topic, bytes]] = field(default_factory=list)

    def publish(self, topic: Topic, payload: bytes) -> bool:
        self.published.append((topic, payload))
        return True

    def batches(self) -> list[codec.Batch]:
        return [
            codec.decode_batch(payload, device=DEVICE)
            for topic, payload in self.published
            if topic.kind is Kind.RECORDS
        ]


class Unavailable:
    """An outbox on a disk that answers nothing."""

    def __getattr__(self, name: str) -> object:
        raise OutboxUnavailable("the disk does not answer")


class Waits:
    """An inbox that remembers how long it was waited for, five times."""

    def __init__(self, things: list[object]) -> None:
        self.things = things
        self.waits: list[float] = []

    def is_empty(self) -> bool:
        return len(self.waits) >= 5

    def get(self, timeout: float) -> object:
        self.waits.append(timeout)
        return self.get_nowait()

    def get_nowait(self) -> object:
        if not self.things:
            raise queue.Empty
        return self.things.pop(0)


@dataclass
class Scene:
    """A sender and everything around it."""

    sender: Sender
    outbox: Outbox
    hands: Hands
    wire: Wire
    answers: list[Answer]

    def tap(self, card: str = "k1.x") -> int:
        trust = Clock.TRUSTED if self.hands.trusted else Clock.UNTRUSTED
        tap = Tap(seq=1, at=self.hands.wall_ms(), mono=self.hands.mono, boot=BOOT, clock=trust, card=card)
        return self.outbox.keep(tap).seq

    def later(self, seconds: float) -> None:
        self.hands.mono += round(seconds * 1000)

    def sent(self) -> list[list[int]]:
        return [[one.record.seq for one in batch.records] for batch in self.wire.batches()]

    def answer(self, *, at: int = NOW, **more: object) -> None:
        """Everything ever sent under the current outbox is stored."""
        held = {one.record.seq: one.digest for batch in self.wire.batches() for one in batch.records}
        covered = Ranges.single(held)
        outbox = self.wire.batches()[-1].envelope.outbox
        message = Stored(
            device=DEVICE, outbox=outbox, at=at, upto=covered.prefix, beyond=covered.beyond, digests=held, **more
        )  # fmt: skip
        self.hear(message)

    def hear(self, message: Stored | Resume) -> None:
        kind = topics.stored if isinstance(message, Stored) else topics.resume
        self.sender.handle(Arrived(str(kind(DEVICE)), codec.encode(message)))

    def events(self) -> list[str]:
        found = []
        for row in self.outbox.oldest(1000, boot="", patient_after=0):
            (text,) = self.outbox.freeze(row.outbox, [row.seq])
            record = codec.decode_record(text).record
            found += [record.event] if isinstance(record, Event) else []
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    opened: list[Outbox] = []

    def make(**clock: object) -> Scene:
        hands, wire, answers = Hands(**clock), Wire(), []
        dating = Dating(hands)
        outbox = open_outbox(tmp_path / "outbox.db", Limits(reserve_bytes=0), dating.now())
        opened.append(outbox)
        machine = Machine(DEVICE, hands, dating, outbox, 7, wake=lambda: None)
        sender = Sender(
            machine,
            wire,
            pacer=Pacer(Policy(), chance=lambda: 0.0),
            clock_wait_s=600,
            answered=answers.append,
            monotonic=lambda: hands.mono / 1000,
        )
        return Scene(sender, outbox, hands, wire, answers)

    yield make
    for outbox in opened:
        outbox.close()


def test_a_tap_goes_out_and_its_answer_comes_back(stage) -> None:
    scene = stage()
    seq = scene.tap()
    scene.sender.turn()
    scene.answer(outcomes={seq: "known"})
    assert [(one.seq, one.verdict, one.outcome) for one in scene.answers] == [(1, "stored", "known")]
    assert scene.outbox.backlog()[0] == 0


def test_without_a_connection_nothing_is_sent(stage) -> None:
    scene = stage()
    scene.wire.is_connected = False
    scene.tap()
    scene.sender.turn()
    assert scene.wire.published == []
    assert not scene.sender.is_online


def test_what_the_broker_took_is_not_taken_for_stored(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    scene.sender.handle(Published(Kind.RECORDS, None))
    assert scene.outbox.backlog()[0] == 1


def test_silence_sends_the_same_bytes_again(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    scene.later(30)
    scene.sender.turn()
    (first, second) = scene.wire.published
    assert first == second


def test_a_batch_names_what_is_confirmed(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    scene.answer()
    scene.tap()
    scene.sender.turn()
    assert [batch.envelope.confirmed for batch in scene.wire.batches()] == [0, 1]


def test_each_connection_begins_with_a_birth(stage) -> None:
    scene = stage()
    scene.sender.handle(Connected())
    (topic, payload) = scene.wire.published[0]
    assert topic == topics.status(DEVICE)
    assert b'"birth"' in payload and b'"session":7' in payload


def test_a_refusal_is_shown_reported_and_ends_with_the_next_answer(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    scene.sender.handle(Published(Kind.RECORDS, "not_authorised"))
    scene.sender.handle(Published(Kind.RECORDS, "not_authorised"))
    assert not scene.sender.is_online
    assert scene.events() == ["sending_refused"]
    scene.answer()
    assert scene.sender.is_online
    assert scene.events() == ["sending_refused", "sending_accepted"]
    assert scene.outbox.backlog()[0] == 2


def test_a_status_nobody_reads_is_no_trouble(stage) -> None:
    scene = stage()
    scene.sender.handle(Published(Kind.STATUS, "nobody_listening"))
    assert scene.sender.is_online


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"hadir/v1/{DEVICE}/stored", b"\xff"),
        (f"hadir/v1/{DEVICE}/stored", b"{}"),
        (f"hadir/v1/{DEVICE}/resume", b"[]"),
        (f"hadir/v1/{DEVICE}/nonsense", b"{}"),
        ("elsewhere", b"{}"),
    ],
)
def test_an_unreadable_message_changes_nothing(stage, topic, payload) -> None:
    scene = stage()
    scene.tap()
    scene.sender.handle(Arrived(topic, payload))
    assert scene.outbox.backlog()[0] == 1


def test_what_the_centre_asks_for_again_goes_again(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    scene.answer()
    outbox = scene.outbox.position().outbox
    scene.hear(Resume(device=DEVICE, outbox=outbox, missing=Ranges.single([1])))
    scene.sender.turn()
    assert scene.sent() == [[1], [1]]


def test_what_was_parked_goes_as_soon_as_the_centre_asks_for_it(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    ignored = scene.outbox.position().outbox
    for _ in range(12):
        scene.tap()
        scene.sender.turn()
        held = {one.record.seq: one.digest for batch in scene.wire.batches() for one in batch.records}
        others = {seq: digest for seq, digest in held.items() if seq > 1}
        answer = Stored(device=DEVICE, outbox=ignored, at=NOW, upto=0, beyond=Ranges.single(others), digests=others)
        scene.later(1)
        scene.hear(answer)
        scene.later(120)
    assert scene.sender.parked == 1
    before = len(scene.sent())
    scene.hear(Resume(device=DEVICE, outbox=ignored, missing=Ranges.single([1])))
    scene.sender.turn()
    assert scene.sent()[before:] == [[1]]


def test_under_a_wrong_clock_taps_wait_while_the_time_is_asked_for(stage) -> None:
    scene = stage(base=0, trusted=False)
    scene.tap()
    scene.sender.turn()
    scene.sender.turn()
    assert scene.sent() == [[2]]  # the question alone
    scene.later(0.2)
    scene.answer(at=NOW + scene.hands.mono - 100)
    scene.sender.turn()
    (tap,) = [one.record for batch in scene.wire.batches() for one in batch.records if isinstance(one.record, Tap)]
    assert tap.clock is Clock.REDATED
    assert abs(tap.at - (NOW + 1_000_000)) <= 200


def test_a_tap_that_nobody_can_date_goes_as_it_is_after_ten_minutes(stage) -> None:
    scene = stage(base=0, trusted=False)
    scene.tap()
    scene.sender.turn()
    assert scene.sent() == [[2]]
    for _ in range(61):
        scene.sender.turn()
        scene.later(10)
    taps = [one.record for batch in scene.wire.batches() for one in batch.records if isinstance(one.record, Tap)]
    assert taps and all(tap.clock is Clock.UNTRUSTED for tap in taps)


def test_an_old_answer_out_of_the_session_does_not_set_the_clock(stage) -> None:
    before = stage(base=0, trusted=False)
    before.tap()
    before.later(700)
    before.sender.turn()
    before.outbox.close()
    after = stage(base=0, trusted=False)
    after.wire.published = list(before.wire.published)
    after.sender.turn()
    after.wire.published = after.wire.published[: len(before.wire.published)]
    after.answer(at=NOW - 3_600_000)
    assert after.answers
    assert after.sender._machine.dating.base() is None


def test_a_lost_connection_is_no_reason_to_stop(stage) -> None:
    scene = stage()
    scene.sender.handle(Disconnected("gone"))
    assert scene.sender.unreachable == "gone"
    scene.sender.handle(Connected())
    assert scene.sender.unreachable is None


def test_the_time_is_asked_for_again_only_after_an_answer_that_came_too_late(stage) -> None:
    scene = stage(base=0, trusted=False)
    for _ in range(5):
        scene.sender.turn()
        scene.later(1)
    assert scene.outbox.backlog()[0] == 1
    scene.later(10)
    scene.answer(at=NOW)
    scene.sender.turn()
    assert scene.sender._machine.dating.base() is None
    assert scene.sent()[-1] == [2]


def test_in_a_new_outbox_too_the_time_is_learnt_from_the_first_answer(stage) -> None:
    """A power cut takes the time and may take commits: the machine must not go on asking what time it is for ever."""
    scene = stage(base=0, trusted=False)
    began = scene.outbox.position().outbox
    scene.hear(Stored(device=DEVICE, outbox=began, at=NOW, upto=50))  # the centre knows more than this disk
    assert scene.outbox.position().outbox != began
    scene.sender.turn()
    scene.later(0.2)
    scene.answer(at=NOW)
    assert scene.sender._machine.dating.base() is not None


def test_the_time_is_asked_for_at_a_walking_pace(stage) -> None:
    scene = stage(base=0, trusted=False)
    for _ in range(50):
        scene.sender.turn()
        if scene.wire.batches():
            scene.answer(at=NOW)
            scene.sender._machine.dating._learnt = None  # as if no answer ever were to be believed
        scene.later(1)
    assert scene.outbox.position().last_seq <= 6


def test_a_refusal_that_lasts_through_reconnections_is_reported_once(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    for _ in range(3):
        scene.sender.handle(Published(Kind.RECORDS, "not_authorised"))
        assert not scene.sender.is_online
        scene.sender.handle(Disconnected("gone"))
        scene.sender.handle(Connected())
        assert scene.sender.is_online  # until the broker says otherwise
    assert scene.events() == ["sending_refused"]
    scene.sender.handle(Published(Kind.RECORDS, None))
    assert scene.events() == ["sending_refused", "sending_accepted"]


def test_while_the_outbox_is_in_trouble_the_loop_rests_and_the_birth_is_said_later(stage) -> None:
    scene = stage()
    scene.tap()
    scene.sender.turn()
    scene.later(3600)  # far overdue
    sound, scene.sender._machine = scene.sender._machine, replace(scene.sender._machine, outbox=Unavailable())
    inbox: Waits = Waits([Connected()])
    scene.sender.run(inbox, inbox.is_empty, lambda: None)
    assert all(wait >= 1 for wait in inbox.waits[1:])
    assert scene.wire.published[1:] == []
    scene.sender._machine = sound
    scene.sender.turn()
    assert [topic.kind for topic, _ in scene.wire.published[1:]] == [Kind.STATUS, Kind.RECORDS]
