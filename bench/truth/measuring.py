"""One seed: its city is written, replayed and recounted, with and without its outages; what came of it as figures."""

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.truth import findings
from bench.truth.findings import Opening
from bench.truth.recount.reading import read
from bench.truth.recount.running import Line, Recount
from bench.truth.replaying import RULE, Said, lacking, replay
from demo.truth import writing
from demo.truth.__main__ import make
from demo.truth.city import City, Size

OFF: Final = "[mass]\nenabled = false\n"
STRICT: Final = OFF + "[absence]\nopen_one_card = 4\n"
GATE: Final = "[mass]\nenabled = true\n"


@dataclass(slots=True)
class Judged:
    """What one policy made of a city."""

    openings: int = 0
    not_replayed: int = 0
    """Lines of the recount that hadir-replay lacks."""
    not_recounted: int = 0
    """Lines of hadir-replay that the recount lacks."""
    families: int = 0
    due: int = 0
    caught: int = 0
    due_not_caught: int = 0
    after_days: list[int] = field(default_factory=list)
    honest: Counter[str] = field(default_factory=Counter)
    """Openings about honest units, by habit."""
    lebaran: int = 0


@dataclass(slots=True)
class Outages:
    """What outages had to do with the openings."""

    by_own: int = 0
    """Caused or advanced by an outage of the unit's own estate: must be 0."""
    by_late_elsewhere: int = 0
    prevented: int = 0
    lost: int = 0


@dataclass(slots=True)
class Seed:
    """Everything about one city."""

    seed: int
    units: int = 0
    machines: int = 0
    facts: int = 0
    months: dict[str, float] = field(default_factory=dict)
    """Honest unit-months by habit."""
    rules: Counter[str] = field(default_factory=Counter)
    """Openings by kind of flag."""
    three: Judged = field(default_factory=Judged)
    four: Judged = field(default_factory=Judged)
    outages: Outages = field(default_factory=Outages)
    gate: Counter[str] = field(default_factory=Counter)
    """With the mass gate: lines by kind and change."""
    differences: list[str] = field(default_factory=list)


def measure(size: Size, seed: int, folder: Path | None = None) -> Seed:
    """The figures of one seed; its directories are kept in *folder* if one is given."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="hadir-truth-") as name:
            return measure(size, seed, Path(name))
    city = make(size, seed=seed)
    found = Seed(seed, len(city.homes), len(city.devices), months=findings.honest_months(city))
    whole = folder / f"city-{seed}"
    writing.write(city, whole)
    found.facts = sum(path.read_text("utf-8").count("\n") for path in (whole / "devices").iterdir())
    everything = replay(whole, policy=OFF)
    found.rules = Counter(line.kind for line in everything if line.change == "opened")
    said = [line for line in everything if line.kind == RULE]
    found.three = _judge(city, whole, said, found)
    found.four = _judge(city, whole, replay(whole, kinds=(RULE,), policy=STRICT), found)
    gate = replay(whole, kinds=(RULE, "ESTATE_TAP_DROP"), policy=GATE)
    found.gate = _gate(whole, gate, found)
    found.outages = _outages(city, folder, findings.openings(said))
    return found


def _judge(city: City, folder: Path, said: Sequence[Said], into: Seed) -> Judged:
    """Hold what was said against the recount and the truth, by the policy that now lies in *folder*."""
    recount = Recount(read(folder))
    lines = recount.lines()
    openings, habits = findings.openings(said), {home.unit: home.habit.name for home in city.homes}
    honest = {home.unit for home in filter(findings.is_honest, city.homes)}
    missing, extra = lacking(lines, said), lacking(said, lines)
    into.differences += [f"recount alone: {_shown(line)}" for line in missing]
    into.differences += [f"replay alone: {_shown(line)}" for line in extra]
    caught = findings.caught(city, recount, openings)
    return Judged(
        len(openings), len(missing), len(extra), caught.families, caught.due, caught.opened, len(caught.missed),
        caught.after_days, Counter(habits[each.unit] for each in openings if each.unit in honest),
        findings.lebaran(lines, said),
    )  # fmt: skip


def _gate(folder: Path, said: Sequence[Said], into: Seed) -> Counter[str]:
    """Lines by kind and change, and those that only one of both has."""
    lines = Recount(read(folder)).lines()
    missing, extra = lacking(lines, said), lacking(said, lines)
    into.differences += [f"with the gate, recount alone: {_shown(line)}" for line in missing]
    into.differences += [f"with the gate, replay alone: {_shown(line)}" for line in extra]
    alone = {"only hadir-replay": len(extra), "only the recount": len(missing)}
    return Counter(f"{line.kind} {line.change}" for line in said) + Counter(alone)


def _shown(line: Line | Said) -> str:
    return json.dumps([line.at, line.subject, line.change, line.evidence], default=str)


def _outages(city: City, folder: Path, found: Sequence[Opening]) -> Outages:
    """What does not open in the city without any outage is asked again in one where only its own estate had none."""
    estate_of = {home.unit: home.estate for home in city.homes}
    doubtful = findings.unexplained(found, _without(city, folder, [estate.code for estate in city.estates]))
    own: list[Opening] = []
    for estate in sorted({estate_of[opening.unit] for opening in doubtful}):
        mine = [opening for opening in doubtful if estate_of[opening.unit] == estate]
        own += findings.unexplained(mine, _without(city, folder, [estate]))
    honest = {home.unit for home in filter(findings.is_honest, city.homes)}
    accused = [opening for opening in found if opening.unit in honest]
    return Outages(
        by_own=len(own),
        by_late_elsewhere=len(doubtful) - len(own),
        prevented=len(findings.with_taps(accused, findings.prevented(city))),
        lost=len(findings.with_taps(accused, findings.lost(city))),
    )


def _without(city: City, folder: Path, estates: Sequence[str]) -> list[Opening]:
    """The openings where nothing failed at *estates*, by hadir-replay."""
    untroubled = folder / f"city-{city.seed}-without-{'-'.join(estates)}"
    writing.write(city, untroubled, untroubled=estates)
    return findings.openings(replay(untroubled, kinds=(RULE,), policy=OFF))
