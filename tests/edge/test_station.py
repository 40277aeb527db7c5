"""From a reading to a tap to words on the screen."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from contract import codec
from contract.cards import Keyring, OpeningKey, SealedCard
from contract.messages import Event, Record, Tap
from contract.topics import DeviceId
from edge.dating import Dating
from edge.machine import Machine
from edge.outbox import Limits, NotKept, Outbox, OutboxUnavailable, open_outbox
from edge.readers import CardRead, ReaderFault, ReaderOk, TryAgain, Unusable
from edge.signals import Signal
from edge.station import Station
from edge.taps import Answer

DEVICE = DeviceId("DMG-01")
UID = bytes.fromhex("04a1b2c3d4e5f6")
KEY = OpeningKey.generate("k1")
BOOT = "00000001-0000-4000-8000-000000000000"


@dataclass
class Screen:
    """Remembers what was said."""

    said: list[tuple[Signal, int | None]] = field(default_factory=list)

    def show(self, signal: Signal, *, seq: int | None = None) -> None:
        self.said.append((signal, seq))

    def close(self) -> None: ...


@dataclass
class Sun:
    """A clock that is always right, and one more real one that a test moves."""

    boot: str = BOOT
    now_s: float = 100.0

    def wall_ms(self) -> int:
        return 1_800_000_000_000 + round(self.now_s * 1000)

    def mono_ms(self) -> int:
        return round(self.now_s * 1000)

    def is_trusted(self) -> bool:
        return True

    def real_seconds(self, ms: int) -> float:
        return ms / 1000


@dataclass
class Scene:
    """A station and everything around it."""

    station: Station
    machine: Machine
    screen: Screen
    sun: Sun
    online: list[bool]

    @property
    def words(self) -> list[Signal]:
        return [signal for signal, _ in self.screen.said]

    def records(self) -> list[Record]:
        found = []
        for row in self.machine.outbox.oldest(100, boot=BOOT, patient_after=10**9):
            (text,) = self.machine.outbox.freeze(row.outbox, [row.seq])
            found.append(codec.decode_record(text).record)
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    opened = []

    def make(budget: int = 1000) -> Scene:
        sun, screen, online = Sun(), Screen(), [True]
        dating = Dating(sun)
        outbox = open_outbox(tmp_path / "outbox.db", Limits(row_budget=budget, reserve_bytes=0), dating.now())
        opened.append(outbox)
        machine = Machine(DEVICE, sun, dating, outbox, 1, wake=lambda: None)
        station = Station(
            machine, KEY.public(), signals=screen, same_card_s=10, is_online=lambda: online[0],
            monotonic=lambda: sun.now_s,
        )  # fmt: skip
        return Scene(station, machine, screen, sun, online)

    yield make
    for outbox in opened:
        outbox.close()


def test_a_tap_is_sealed_kept_and_then_shown(stage) -> None:
    scene = stage()
    scene.station.handle(CardRead(UID))
    (tap,) = scene.records()
    assert isinstance(tap, Tap)
    assert Keyring({"k1": KEY}).open(SealedCard.parse(tap.card), DEVICE) == UID
    assert scene.screen.said == [(Signal.STORED, tap.seq)]


def test_the_card_number_touches_neither_disk_nor_log(stage, tmp_path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    scene = stage()
    scene.station.handle(CardRead(UID))
    scene.machine.outbox.close()
    for file in tmp_path.iterdir():
        assert UID not in file.read_bytes()
        assert UID.hex().encode() not in file.read_bytes().lower()
    assert UID.hex() not in caplog.text.lower()


def test_the_same_card_again_is_the_same_tap(stage) -> None:
    scene = stage()
    scene.station.handle(CardRead(UID))
    scene.sun.now_s += 10
    scene.station.handle(CardRead(UID))
    scene.sun.now_s += 0.1
    scene.station.handle(CardRead(UID))
    assert scene.words == [Signal.STORED, Signal.ALREADY_READ, Signal.STORED]
    assert len(scene.records()) == 2


def test_a_tap_that_cannot_be_kept_is_refused_aloud_and_may_be_tried_again(stage) -> None:
    scene = stage(budget=1)
    scene.station.handle(CardRead(UID))
    scene.station.handle(CardRead(b"\x04\x01\x02\x03"))
    scene.station.handle(CardRead(b"\x04\x01\x02\x03"))
    assert scene.words == [Signal.STORED, Signal.REFUSED, Signal.REFUSED]
    assert scene.machine.outbox.refused == 2


def test_the_answer_lights_the_screen_once(stage) -> None:
    scene = stage()
    scene.station.handle(CardRead(UID))
    kept = scene.machine.outbox.position()
    answer = Answer(kept.outbox, 1, "stored", "known")
    scene.station.answered(answer)
    scene.station.answered(answer)
    assert scene.words == [Signal.STORED, Signal.CONFIRMED]


@pytest.mark.parametrize("between", [CardRead(b"\x04\x01\x02\x03"), TryAgain("torn"), Unusable("random")])
def test_an_answer_never_lights_the_screen_of_whoever_came_after(stage, between) -> None:
    scene = stage()
    scene.station.handle(CardRead(UID))
    scene.station.handle(between)
    scene.station.answered(Answer(scene.machine.outbox.position().outbox, 1, "stored", "known"))
    assert Signal.CONFIRMED not in scene.words


def test_a_repeated_card_still_gets_its_light(stage) -> None:
    scene = stage()
    scene.station.handle(CardRead(UID))
    scene.station.handle(CardRead(UID))
    scene.station.answered(Answer(scene.machine.outbox.position().outbox, 1, "stored", "known"))
    assert scene.words[-1] is Signal.CONFIRMED


def test_without_network_the_screen_says_that_it_will_be_sent(stage) -> None:
    scene = stage()
    scene.online[0] = False
    scene.station.handle(CardRead(UID))
    assert scene.words == [Signal.STORED_OFFLINE]


def test_unreadable_and_random_cards_make_no_record(stage) -> None:
    scene = stage()
    scene.station.handle(TryAgain("torn"))
    scene.station.handle(Unusable("random"))
    scene.station.handle(CardRead(b"\x08\x01\x02\x03"))
    assert scene.words == [Signal.TRY_AGAIN, Signal.UNUSABLE_CARD, Signal.UNUSABLE_CARD]
    assert scene.records() == []


def test_a_reader_fault_is_shown_and_reported_and_so_is_its_end(stage) -> None:
    scene = stage()
    scene.station.handle(ReaderOk())
    assert scene.station.is_reader_ok
    scene.station.handle(ReaderFault("unplugged"))
    assert not scene.station.is_reader_ok
    scene.station.handle(ReaderOk())
    assert scene.words == [Signal.READY, Signal.FAULT, Signal.READY]
    events = [record.event for record in scene.records() if isinstance(record, Event)]
    assert events == ["reader_fault", "reader_ok"]


def test_a_reader_nobody_heard_of_yet_is_not_ok(stage) -> None:
    assert not stage().station.is_reader_ok


def test_the_screen_is_ready_again_after_a_while_and_says_so_once(stage) -> None:
    scene = stage()
    scene.station.handle(ReaderOk())
    scene.station.handle(CardRead(UID))
    scene.station.idle()
    assert scene.words[-1] is Signal.STORED
    scene.sun.now_s += 8
    scene.station.idle()
    scene.station.idle()
    assert scene.words == [Signal.READY, Signal.STORED, Signal.READY]
    scene.online[0] = False
    scene.station.idle()
    assert scene.words[-1] is Signal.READY_OFFLINE


def test_a_kill_between_fault_and_report_leaves_no_fault_without_an_end(stage) -> None:
    scene = stage()
    scene.station._machine = replace(scene.machine, outbox=_Dies(scene.machine.outbox))
    with pytest.raises(_Killed):
        scene.station.handle(ReaderFault("unplugged"))
    scene.station._machine = scene.machine
    scene.station.handle(ReaderOk())
    assert [one.event for one in scene.records() if isinstance(one, Event)] == ["reader_ok"]


def test_a_reader_that_comes_back_while_the_disk_is_in_trouble_is_served(stage) -> None:
    scene = stage()
    scene.station._machine = replace(scene.machine, outbox=_Unavailable())
    scene.station.handle(ReaderOk())
    assert scene.station.is_reader_ok


class _Killed(Exception):
    """The program ends here."""


class _Dies:
    """An outbox under which the program is killed when it keeps a record."""

    def __init__(self, outbox: Outbox) -> None:
        self.note = outbox.note

    def keep(self, *_: object, **__: object) -> None:
        raise _Killed


class _Unavailable:
    """An outbox on a disk that answers nothing; only `keep` turns that into a refusal."""

    def keep(self, *_: object, **__: object) -> None:
        raise NotKept("the disk does not answer")

    def __getattr__(self, name: str) -> object:
        raise OutboxUnavailable("the disk does not answer")
