"""Flags under everything at once: the same facts meet a calm worker and one that crashes, is doubled, and is repeated.

Both must come to the same flags and the same chain of events; what must always hold of them is checked after each step.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from cloud.alerts import acting, evaluating, policy, stored
from cloud.alerts.acting import Desk
from cloud.alerts.evaluating import Circumstances
from cloud.alerts.findings import Ended, Finding, Findings, Standing
from cloud.alerts.flags import causes, chain
from cloud.alerts.flags.changes import Change
from cloud.alerts.flags.flag import Flag, Gate, Outcome
from cloud.alerts.flags.handling import NotNow
from cloud.alerts.flags.hushes import Silence
from cloud.alerts.kinds import Ending, Kind, Level, Severity
from cloud.alerts.outages import topology
from cloud.alerts.policy import Policies
from cloud.days import MINUTE
from cloud.records import Connection, Records, flags, migrate, open_records

T = TypeVar("T")
IN_MEMORY = (
    "/dev/shm" if Path("/dev/shm").is_dir() else None
)  # each commit is synchronous: on a disk they would take minutes
BEGIN = 1_780_000_000_000
POLICIES = policy.parse("[shadow]\nkinds = []")
PATH = (
    (Kind.INGEST_DOWN, "*", ""),
    (Kind.ESTATE_OFFLINE, "DMG", "DMG"),
    (Kind.DEVICE_OFFLINE, "DMG-01", "DMG"),
    (Kind.DEVICE_OFFLINE, "DMG-02", "DMG"),
    (Kind.READER_FAULT, "DMG-01", "DMG"),
)
UNITS = ("DMG/B/03/12", "DMG/B/03/13")
ENDS = {"closed", "retracted", "superseded"}
SPEAKING = {"opened", "reminded", "case", "spoken", "worsened"}


class Killed(Exception):
    """The worker died here."""


@dataclass
class Facts:
    """What is so. Rules look at it; both workers see the same."""

    standing: dict[tuple[Kind, str], Finding] = field(default_factory=dict)
    ended: dict[tuple[Kind, str], Ended] = field(default_factory=dict)

    def judge(self, connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
        complete = frozenset((kind, "") for kind, _, _ in PATH)
        return Findings(tuple(self.standing.values()), tuple(self.ended.values()), complete)


@dataclass
class Mortal:
    """Records of a worker that dies where it is told to: before, in, or just after a writing transaction."""

    records: Records
    dies: str = ""

    def read(self, work: Callable[[Connection], T]) -> T:
        return self.records.read(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        dies, self.dies = self.dies, ""
        if dies == "before":
            raise Killed
        if dies == "in":
            self.records.write(lambda connection: _die(work(connection)))
        done = self.records.write(work)
        if dies == "after":
            raise Killed
        return done


def _die(done: object) -> None:
    raise Killed


@dataclass
class World:
    """One database of flags, and what was done to it."""

    records: Records
    facts: Facts

    def evaluate(self, now_ms: int, judge: evaluating.Judge | None = None, *, dies: str = "") -> list[Change]:
        mortal = Mortal(self.records, dies)
        around = Circumstances((judge or self.facts.judge,), _unheard)
        return evaluating.evaluate(mortal, POLICIES, now_ms=now_ms, circumstances=around)  # type: ignore[arg-type]

    def beset(self, now_ms: int, *, dies: str, is_doubled: bool) -> None:
        """An evaluation by a worker that dies, and again by the next; between its reading and writing comes a rival."""
        rival = iter([self.evaluate] if is_doubled else [])

        def interrupted(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing) -> Findings:
            for evaluate in rival:
                evaluate(now_ms)
            return self.facts.judge(connection, policies, now_ms=now_ms, standing=standing)

        try:
            self.evaluate(now_ms, interrupted, dies=dies)
        except Killed:
            self.evaluate(now_ms)

    def flags(self) -> list[Flag]:
        return self.records.read(lambda connection: [stored.flag(row) for row in flags.alive(connection)])

    def events(self) -> list[chain.Event]:
        return self.records.read(lambda connection: [stored.event(row) for row in flags.all_events(connection)])


def _unheard(connection: Connection, policies: Policies, /, *, now_ms: int, changes: Sequence[Change]) -> None:
    """Nobody listens; what speaks stands in the events."""


class Machine(RuleBasedStateMachine):
    """Facts come and go, people act, time passes."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(dir=IN_MEMORY)
        self.facts, self.now_ms, self.run_number = Facts(), BEGIN, 0
        self.calm, self.restless = (World(self._open(name), self.facts) for name in ("calm", "restless"))

    def _open(self, name: str) -> Records:
        path = Path(self.folder.name) / f"{name}.db"
        shutil.copy(self.template, path)
        return open_records(f"sqlite:///{path}")

    def teardown(self) -> None:
        for world in (self.calm, self.restless):
            world.records.close()
        self.folder.cleanup()

    # ---- what happens ------------------------------------------------------------------------------------------------

    @rule(at=st.sampled_from(PATH), severity=st.sampled_from([Severity.P2, Severity.P1]))
    def breaks(self, at: tuple[Kind, str, str], severity: Severity) -> None:
        kind, subject, estate = at
        since_ms = (
            self.facts.standing[kind, subject].since_ms if (kind, subject) in self.facts.standing else self.now_ms
        )
        self.facts.standing[kind, subject] = Finding(kind, subject, estate, since_ms, {"n": 1}, severity)

    @rule(at=st.sampled_from(PATH))
    def heals(self, at: tuple[Kind, str, str]) -> None:
        self.facts.standing.pop(at[:2], None)

    @rule(unit=st.sampled_from(UNITS), level=st.sampled_from(list(Level)), is_held=st.booleans())
    def misses(self, unit: str, level: Level, is_held: bool) -> None:
        key = Kind.UNIT_NO_TAPS, unit
        before = self.facts.standing.get(key)
        self.run_number += before is None
        run = before.run if before is not None else f"run-{self.run_number}"
        level = max(level, before.level) if before is not None else level
        self.facts.ended.pop(key, None)
        is_held = is_held and level >= Level.OPEN
        self.facts.standing[key] = Finding(*key, "DMG", self.now_ms, {"n": 1}, level=level, run=run, is_held=is_held)

    @rule(unit=st.sampled_from(UNITS), how=st.sampled_from(list(Ending)))
    def taps(self, unit: str, how: Ending) -> None:
        key = Kind.UNIT_NO_TAPS, unit
        self.facts.standing.pop(key, None)
        self.facts.ended[key] = Ended(*key, how, {"n": 2})

    @rule(minutes=st.sampled_from([1, 1, 1, 5, 11, 60, 80 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * MINUTE

    @rule(dies=st.sampled_from(["", "before", "in", "after"]), is_doubled=st.booleans())
    def are_judged(self, dies: str, is_doubled: bool) -> None:
        self.now_ms += MINUTE
        self.calm.evaluate(self.now_ms)
        self.restless.beset(self.now_ms, dies=dies, is_doubled=is_doubled)
        assert self.restless.evaluate(self.now_ms) == [] == self.calm.evaluate(self.now_ms)  # I12
        events, living = self.calm.events(), self.calm.flags()
        assert (events, living) == (self.restless.events(), self.restless.flags())  # I11, I13
        assert chain.broken(events) is None
        assert all(count == 1 for count in Counter(flag.key for flag in living).values())  # I1
        what_was_told_has_one_end_and_what_was_not_has_none(events, {flag.flag_id for flag in living})
        no_child_spoke_under_its_root(events)

    # ---- what people do ----------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from([Kind.DEVICE_OFFLINE, Kind.UNIT_NO_TAPS]), minutes=st.sampled_from([2, 30]))
    def silence(self, kind: Kind, minutes: int) -> None:
        wanted = Silence(self.now_ms, self.now_ms + minutes * MINUTE, "because", "budi", kind)
        self._both(lambda desk: desk.silence(wanted))

    @rule(pick=st.integers(0, 5))
    def acknowledge(self, pick: int) -> None:
        self._on_some_flag(pick, lambda desk, number: desk.acknowledge(number, expiry_h=1))

    @rule(pick=st.integers(0, 5), outcome=st.sampled_from([Outcome.INHABITED, Outcome.OTHER]))
    def decide(self, pick: int, outcome: Outcome) -> None:
        self._on_some_flag(pick, lambda desk, number: desk.decide(number, outcome))

    @rule(is_released=st.booleans())
    def open_the_gate(self, is_released: bool) -> None:
        if any(flag.gate is Gate.HELD and not flag.is_open for flag in self.calm.flags()):
            self._both(lambda desk: (desk.release if is_released else desk.dismiss)("DMG", "looked"))

    def _on_some_flag(self, pick: int, work: Callable[[Desk, str], object]) -> None:
        numbers = [flag.number for flag in self.calm.flags() if flag.number is not None]
        if numbers:
            self._both(lambda desk: work(desk, numbers[pick % len(numbers)]))

    def _both(self, work: Callable[[Desk], object]) -> None:
        outcomes = [_tried(work, Desk(world.records, "budi", self.now_ms)) for world in (self.calm, self.restless)]
        assert outcomes[0] == outcomes[1]


# ---- what always holds -----------------------------------------------------------------------------------------------


def what_was_told_has_one_end_and_what_was_not_has_none(events: Sequence[chain.Event], living: set[int]) -> None:
    """I2, I3: by what was said aloud of each flag, in order."""
    aloud: defaultdict[int, list[str]] = defaultdict(list)
    for event in events:
        if event.what in SPEAKING | ENDS and json.loads(event.detail)["speaks"]:
            aloud[event.flag_id or 0].append(event.what)
    for flag_id, said in aloud.items():
        ends = [what for what in said if what in ENDS]
        assert said[0] not in ENDS, "it ended and had never been told"
        assert len(ends) == (flag_id not in living), "told once, ended once"
        assert said[-1] in ENDS or not ends, "nothing is said after the end"


def no_child_spoke_under_its_root(events: Sequence[chain.Event]) -> None:
    """I9: a root stands from its opening to ten minutes after its recovery."""
    stood = _stood(events)
    for event in events:
        detail = json.loads(event.detail)
        if event.what in ("opened", "spoken") and detail["speaks"]:
            for kind, subject in topology.roots(Kind(detail["kind"]), detail["subject"], detail["estate"]):
                spans = stood.get((str(kind), subject), [])
                assert not any(begin <= event.at_ms < end for begin, end in spans), f"{detail} spoke under {kind}"


def _tried(work: Callable[[Desk], object], desk: Desk) -> object:
    try:
        return work(desk)
    except (NotNow, acting.NothingHeld, acting.UnknownFlag) as error:
        return type(error)


def _stood(events: Sequence[chain.Event]) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """When each root was open: until ten minutes after it had recovered, for ever if it has not."""
    subjects = {
        event.flag_id: (json.loads(event.detail)["kind"], json.loads(event.detail)["subject"])
        for event in events
        if event.what == "opened"
    }
    begun: dict[int, int] = {}
    recovering: dict[int, int] = {}
    found: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        flag_id = event.flag_id
        if flag_id is None or flag_id not in subjects or Kind(subjects[flag_id][0]) not in causes.ROOTS:
            continue
        if event.what == "opened":
            begun[flag_id] = event.at_ms
        elif event.what == "recovering":
            recovering[flag_id] = event.at_ms
        elif event.what == "relapsed":
            recovering.pop(flag_id, None)
        elif event.what in ENDS:
            over_ms = recovering.pop(flag_id, event.at_ms)
            found[subjects[flag_id]].append((begun.pop(flag_id), max(over_ms + 10 * MINUTE, event.at_ms)))
    for flag_id, since_ms in begun.items():
        found[subjects[flag_id]].append((since_ms, 1 << 62))
    return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("machine") / "template.db"
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    with open_records(url) as records:  # no journal is left behind: the file is all there is
        records.read(flags.head)
    return path


@pytest.mark.integration
def test_both_engines_come_to_the_same_flags_and_the_same_chain(
    template: Path, tmp_path: Path, postgres_url: str
) -> None:
    shutil.copy(template, tmp_path / "records.db")
    migrate.upgrade(postgres_url)
    chains = []
    for url in (f"sqlite:///{tmp_path}/records.db", postgres_url):
        with open_records(url) as records:
            chains.append(_a_long_story(World(records, Facts()), Random(7)))
    assert chains[0] == chains[1]
    assert {"opened", "held", "reminded", "relapsed", "closed", "retracted"} <= {event.what for event in chains[0]}


def _a_long_story(world: World, dice: Random) -> list[chain.Event]:
    """The same facts, drawn by the same dice."""
    for turn in range(60):
        now_ms = BEGIN + turn * 3 * MINUTE
        for key in [key for key in world.facts.standing if dice.random() < 0.3]:
            del world.facts.standing[key]
            if key[0] is Kind.UNIT_NO_TAPS:
                world.facts.ended[key] = Ended(*key, dice.choice(list(Ending)))
        for kind, subject, estate in dice.sample(PATH, 2):
            world.facts.standing[kind, subject] = Finding(kind, subject, estate, now_ms, {"n": turn})
        key = Kind.UNIT_NO_TAPS, dice.choice(UNITS)
        if key not in world.facts.standing:
            level, is_held = dice.choice(list(Level)), dice.random() < 0.5
            run = f"run-{turn}"
            world.facts.ended.pop(key, None)
            world.facts.standing[key] = Finding(
                *key, "DMG", now_ms, level=level, run=run, is_held=is_held and level > 0
            )
        world.evaluate(now_ms)
    return world.events()


@pytest.mark.timeout(300)
def test_flags_survive_everything(template: Path) -> None:
    Machine.template = template
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[
                Phase.explicit,
                Phase.reuse,
                Phase.generate,
            ],  # a story of 40 steps over two databases shrinks for minutes
        ),
    )
