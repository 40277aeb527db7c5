"""Whatever happens to senders and channels, in whatever order: nothing is lost, little is doubled, budgets hold.

I10 (budgets hold, every flag is in a delivered message), I11 (crashes change only marked resends), I13 (two senders).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from postal import HOUR, MINUTE, NOON, Crash, Rig, draft, person

from cloud.alerts.channels import Outgoing, Taken, Traits, Trouble, Undelivered
from cloud.records import Records, migrate, open_records
from cloud.records.people import Role

REPEAT = "(kirim ulang)"
FLAGS = [f"FLG-26-{number:05}" for number in range(1, 9)]
names = itertools.count(1)


@dataclass
class Fickle:
    """A channel that takes, loses, hides and dies as the script says."""

    rig: Rig | None = None
    script: list[str] = field(default_factory=list)
    arrived: list[tuple[int, str]] = field(default_factory=list)
    traits: Traits = field(default_factory=lambda: Traits(max_chars=900))

    def send(self, message: Outgoing) -> Taken:
        what = self.script.pop(0) if self.script else "taken"
        if what in ("taken", "hidden", "dies after"):
            self.arrived.append((self.rig.now_ms, message.text.plain()))
        if what.startswith("dies"):
            raise Crash
        if what in ("hidden", "lost"):
            raise Undelivered(Trouble.UNKNOWN, "no answer")
        if what == "busy":
            raise Undelivered(Trouble.TEMPORARY, "busy")
        return Taken("ref", is_delivered=True)

    def close(self) -> None:
        """Nothing is held."""


outcomes = st.sampled_from(["taken", "hidden", "hidden", "lost", "busy", "dies before", "dies after"])
some = st.lists(st.sampled_from(FLAGS), min_size=1, max_size=8, unique=True)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("opens"), some),
        st.tuples(st.just("closes"), some),
        st.tuples(
            st.just("sends"), st.lists(st.tuples(outcomes, st.sampled_from([0, 20, 80])), min_size=1, max_size=4)
        ),
    ),
    min_size=2,
    max_size=10,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    url = f"sqlite:///{tmp_path_factory.mktemp('machine') / Path('records.db')}"
    migrate.upgrade(url)
    with open_records(url) as opened:
        yield opened


@dataclass
class World:
    """One person, their flags, and what really happened."""

    rig: Rig
    channel: Fickle
    name: str
    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def act(self, step: str, what: list[Any]) -> None:
        match step:
            case "opens":
                for flag in [each for each in what if each not in self.opened]:
                    self.opened.append(flag)
                    self._say(flag, "opened")
            case "closes":
                for flag in [each for each in what if each in self.opened and each not in self.closed]:
                    self.closed.append(flag)
                    self._say(flag, "closed")
            case "sends":
                for outcome, wait_s in what:
                    self.channel.script.append(outcome)
                    self._send()
                    self.rig.later(wait_s * 1000)

    def settle(self) -> None:
        for _ in range(8):
            self.channel.script.clear()
            self._send()
            self.rig.later(HOUR)

    def _say(self, flag: str, said: str) -> None:
        key = f"{self.name}:{flag}:{said}"
        self.rig.say(draft(self.name, flag=f"{self.name}/{flag}"[:24], said=said, key=key, due_ms=self.rig.now_ms))

    def _send(self) -> None:
        try:
            self.rig.run()
        except Crash:
            self.rig.holder = f"worker-{next(names)}"

    def texts(self, flag: str, said: str) -> list[str]:
        word = "pulih" if said == "closed" else "luring sejak"
        lines = [(text, line) for _, text in self.channel.arrived for line in text.splitlines() if flag in line]
        return [text for text, line in lines if word in line and "Tautan" not in line]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
@example([("opens", FLAGS[:1]), ("sends", [("hidden", 20), ("hidden", 20), ("hidden", 20)])])
@example([("opens", FLAGS[:1]), ("sends", [("dies after", 80), ("taken", 20), ("taken", 20)]), ("closes", FLAGS[:1])])
@example([("opens", FLAGS[:3]), ("sends", [("taken", 0)]), ("opens", FLAGS), ("sends", [("taken", 80)] * 2)])
@example([("opens", FLAGS[:2]), ("closes", FLAGS[:1]), ("sends", [("busy", 0), ("taken", 20)]), ("closes", FLAGS)])
def test_nothing_is_lost_little_is_doubled(shared: Records, script: list[tuple[str, list[Any]]]) -> None:
    channel = Fickle()
    rig = Rig(shared, {"chat": channel}, NOON + next(names) * 1000 * HOUR)  # type: ignore[dict-item]
    channel.rig = rig
    world = World(rig, channel, f"p{next(names)}")
    rig.know(person(world.name, Role.NOC, "chat:1"))
    for step, what in script:
        world.act(step, what)
    world.settle()
    _check(world)


def _check(world: World) -> None:
    state = {each.key: each.state.value for each in world.rig.notices() if each.person == world.name}
    assert set(state.values()) <= {"told", "unsure", "moot"}
    for flag in world.opened:
        openings, ends = world.texts(flag, "opened"), world.texts(flag, "closed")
        was = state[f"{world.name}:{flag}:opened"]
        if was == "told":
            assert openings, "lost"
        if was == "moot":
            assert not openings and not ends, "told and forgotten"
        for texts in (openings, ends):
            assert sum(REPEAT not in text.splitlines()[0] for text in texts) <= 1, "a duplicate that is not marked"
            assert len(texts) <= 2
        if flag in world.closed and was != "moot":
            assert state[f"{world.name}:{flag}:closed"] in ("told", "unsure"), "no end"
        assert not ends or was != "moot"
    _check_budget([at for at, _ in world.channel.arrived])


def _check_budget(at: list[int]) -> None:
    for start in at:
        assert sum(start <= each < start + 15 * MINUTE for each in at) <= 5
        assert sum(start <= each < start + HOUR for each in at) <= 11
