"""What a machine says about itself, and what it keeps about its hours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contract import codec
from contract.messages import Clock, Event, Heartbeat, Hours, Record, Stored, Tap
from contract.topics import DeviceId, Topic
from edge import able
from edge.dating import Dating, Stamp
from edge.health import Condition, Health, clock_jump, hours_record
from edge.machine import Machine
from edge.outbox import Limits, NotKept, Outbox, open_outbox

DEVICE = DeviceId("DMG-01")
BOOT, EARLIER = "00000002-0000-4000-8000-000000000000", "00000001-0000-4000-8000-000000000000"
NOON = 1_800_000_000_000 // 3_600_000 * 3_600_000


@dataclass
class Hands:
    """A clock moved by hand."""

    mono: int = 0
    base: int = NOON
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
    """Remembers what was published."""

    is_connected: bool = True
    published: list[tuple[Topic, bytes]] = field(default_factory=list)

    def publish(self, topic: Topic, payload: bytes) -> bool:
        self.published.append((topic, payload))
        return True


@dataclass
class Patient:
    """A machine's health and what it depends on."""

    health: Health
    outbox: Outbox
    hands: Hands
    wire: Wire
    condition: list[Condition]

    def live(self, minutes: int) -> None:
        for _ in range(minutes * 2):
            self.hands.mono += 30_000
            self.health.turn()

    def records(self) -> list[Record]:
        found = []
        for row in self.outbox.oldest(1000, boot="", patient_after=0):
            (text,) = self.outbox.freeze(row.outbox, [row.seq])
            found.append(codec.decode_record(text).record)
        return found

    def hours(self) -> list[tuple[int, int, Clock]]:
        return [(one.hour, one.able_min, one.clock) for one in self.records() if isinstance(one, Hours)]

    def events(self) -> list[str]:
        return [one.event for one in self.records() if isinstance(one, Event)]


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Callable[..., Patient]]:
    opened: list[Outbox] = []

    def make(budget: int = 1000, **clock: object) -> Patient:
        hands, wire, condition = Hands(**clock), Wire(), [Condition(True, 0)]
        dating = Dating(hands)
        outbox = open_outbox(tmp_path / "outbox.db", Limits(row_budget=budget, reserve_bytes=0), dating.now())
        opened.append(outbox)
        machine = Machine(DEVICE, hands, dating, outbox, 1, wake=lambda: None)
        health = Health(
            machine, wire, heartbeat_s=30, condition=lambda: condition[0], monotonic=lambda: hands.mono / 1000
        )
        return Patient(health, outbox, hands, wire, condition)

    yield make
    for outbox in opened:
        outbox.close()


def test_an_hour_in_which_all_was_well_has_sixty_able_minutes(patient) -> None:
    one = patient()
    one.health.turn()
    one.live(61)
    assert one.hours() == [(NOON, 60, Clock.TRUSTED)]


def test_minutes_with_a_broken_reader_do_not_count(patient) -> None:
    one = patient()
    one.health.turn()
    one.live(20)
    one.condition[0] = Condition(False, 0)
    one.live(10)
    one.condition[0] = Condition(True, 0)
    one.live(31)
    (hour,) = one.hours()
    assert 48 <= hour[1] <= 50


def test_minutes_in_which_the_program_stood_still_do_not_count(patient) -> None:
    one = patient()
    one.health.turn()
    one.live(10)
    one.hands.mono += 40 * 60_000
    one.health.turn()
    one.live(11)
    (hour,) = one.hours()
    assert 19 <= hour[1] <= 21


def test_minutes_survive_a_crash_and_become_a_record_at_the_next_start(patient) -> None:
    crashed = patient()
    crashed.health.turn()
    crashed.live(20)
    crashed.outbox.close()
    again = patient(mono=25 * 60_000)
    again.health.begin()
    assert again.hours() == [(NOON, 20, Clock.TRUSTED)]


def test_a_clean_end_keeps_the_current_hour(patient) -> None:
    one = patient()
    one.health.turn()
    one.live(5)
    one.health.end()
    assert one.hours() == [(NOON, 5, Clock.TRUSTED)]


def test_minutes_under_a_wrong_clock_find_their_hour_once_the_time_is_known(patient) -> None:
    one = patient(base=0, trusted=False)
    one.health.turn()
    one.live(10)
    one.health.close_hours(every=True)
    assert one.hours() == []
    one.hands.base, one.hands.trusted = NOON, True
    one.health.close_hours(every=True)
    assert one.hours() == [(NOON, 10, Clock.TRUSTED)]


def test_minutes_whose_time_never_became_known_are_told_as_untrusted(patient) -> None:
    lost = patient(base=0, trusted=False, boot=EARLIER)
    lost.health.turn()
    lost.live(10)
    lost.outbox.close()
    again = patient(boot=BOOT)
    again.health.begin()
    assert again.hours() == [(0, 10, Clock.UNTRUSTED)]


def test_known_minutes_stay_trusted_even_when_the_next_boot_knows_no_time() -> None:
    hour = able.Hour(NOON, 1, (able.Minute(EARLIER, 3, NOON // 60_000, True),))
    record = hours_record(hour, Stamp(0, 5, BOOT, Clock.UNTRUSTED), every=True)
    assert record is not None
    assert (record.clock, record.at, record.boot) == (Clock.TRUSTED, NOON, EARLIER)


def test_a_boot_is_reported_once_and_a_restart_is_another_thing(patient) -> None:
    one = patient()
    one.health.begin()
    one.health.begin()
    assert one.events() == ["boot", "program_started"]


@pytest.mark.parametrize(
    ("wall", "mono", "boot", "expected"),
    [
        pytest.param(1_000, 1_000, BOOT, 0, id="in step"),
        pytest.param(5_999, 1_000, BOOT, 0, id="slewed"),
        pytest.param(6_000, 1_000, BOOT, 5_000, id="set forward"),
        pytest.param(-9_000, 1_000, BOOT, -10_000, id="set back"),
        pytest.param(99_000, 1_000, EARLIER, 0, id="another boot"),
    ],
)
def test_a_clock_that_was_set_shows_against_the_monotonic_one(wall, mono, boot, expected) -> None:
    before = Stamp(0, 0, BOOT, Clock.TRUSTED)
    assert clock_jump(before, Stamp(wall, mono, boot, Clock.TRUSTED)) == expected


def test_a_clock_step_is_reported(patient) -> None:
    one = patient()
    one.health.turn()
    one.hands.base += 60_000
    one.health.turn()
    assert one.events() == ["clock_step"]


def test_a_heartbeat_goes_every_half_minute_and_never_without_a_connection(patient) -> None:
    one = patient()
    one.health.turn()
    one.live(2)
    assert len(one.wire.published) == 5
    one.wire.is_connected = False
    one.live(2)
    assert len(one.wire.published) == 5


def test_a_heartbeat_says_how_the_machine_is(patient) -> None:
    one = patient(mono=90_000)
    one.health.begin()
    one.condition[0] = Condition(False, 3)
    beat = one.health.heartbeat()
    assert codec.decode(codec.encode(beat), Heartbeat, device=DEVICE) == beat
    assert (beat.uptime_s, beat.last_seq, beat.confirmed, beat.backlog) == (90, 1, 0, 1)
    assert (beat.reader, beat.parked, beat.clock) == ("fault", 3, "trusted")


def test_once_there_is_room_again_refused_taps_are_reported_without_waiting_for_another(patient) -> None:
    """Until then the machine counts as unable: a night without taps must not become a night without a machine."""
    one = patient(budget=10)
    now = one.health._machine.dating.now()
    tap = Tap(seq=1, at=now.at, mono=now.mono, boot=now.boot, clock=now.clock, card="k1.x")
    for _ in range(10):
        one.outbox.keep(tap)
    for _ in range(2):
        with pytest.raises(NotKept):
            one.outbox.keep(tap)
    one.live(5)
    assert one.events() == []
    (rows,) = [one.outbox.oldest(100, boot="", patient_after=0)]
    outbox = one.outbox.position().outbox
    texts = one.outbox.freeze(outbox, [row.seq for row in rows])
    digests = {row.seq: codec.digest(text) for row, text in zip(rows, texts, strict=True)}
    one.outbox.settle(Stored(device=DEVICE, outbox=outbox, at=now.at, upto=10, digests=digests), now)
    one.live(3)
    assert [(e.event, e.detail["count"]) for e in one.records() if isinstance(e, Event)] == [("taps_refused", 2)]
    assert one.outbox.can_keep()
