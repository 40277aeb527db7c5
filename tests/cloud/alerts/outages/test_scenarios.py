"""Whole stories, told by the path rules minute by minute: what begins to speak, and what is over, and when.

A flag stands as long as it is found. One under a root that stands, or ended less than ten minutes ago, is not told of.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind, Severity
from cloud.alerts.outages import condition, path, silence, topology
from cloud.alerts.outages.returns import returned
from cloud.alerts.outages.situation import PathFacts
from cloud.records.signs import Lapse, Signs

RULES = (
    silence.wide_outage,
    silence.estate_offline,
    silence.device_offline,
    condition.clock_skew,
    condition.queue_stuck,
    condition.reader_fault,
)
SETTLE = 10
FAR_BACK = -10_000


@dataclass
class World:
    """Machines that are heard unless *silent* says no, an ingest that listens unless *deaf* says so."""

    hand: Any
    devices: tuple[str, ...]
    silent: Callable[[str, float], bool] = lambda device, minute: False
    deaf: Callable[[float], bool] = lambda minute: False
    says: Callable[[str, float], dict[str, Any]] = lambda device, minute: {}
    heard: dict[str, float] = field(default_factory=dict)
    lapses: dict[str, list[Lapse]] = field(default_factory=dict)
    since: float = FAR_BACK
    until: float = FAR_BACK

    def look(self, minute: float, standing):
        """The situation as of *minute*, after all that happened in it."""
        if not self.deaf(minute):
            self.since = self.since if minute - self.until < 2 or self.until == FAR_BACK else minute
            self.until = minute
            for device in self.devices:
                if not self.silent(device, minute):
                    self._hear(device, minute)
        machines = [self._machine(device) for device in self.devices]
        return self.hand.situation(minute, *machines, listening=(self.since, self.until), standing=standing)

    def _hear(self, device: str, minute: float) -> None:
        last = self.heard.get(device, minute)
        if minute - last > 3 and self.since <= last:
            self.lapses.setdefault(device, []).append(Lapse(self.hand.at(last), self.hand.at(minute)))
        self.heard[device] = minute

    def _machine(self, device: str):
        heard = self.heard.get(device)
        if heard is None:
            return self.hand.machine(device, None)
        said = self.says(device, heard)
        signs = Signs(lapses=tuple(self.lapses.get(device, ())), **said.pop("signs", {}))
        return self.hand.machine(device, heard, signs=signs, **said)


def story(world: World, minutes):
    """(minute, "+" or "-", kind, subject) of everything that is told."""
    told: list[tuple[float, str, Kind, str]] = []
    ended: dict[tuple[Kind, str], float] = {}
    standing, speaking = {}, set()
    for minute in minutes:
        situation = world.look(minute, standing)
        found = [*path.ingest_down(situation, PathFacts()), *(f for rule in RULES for f in rule(situation))]
        now = world.hand.stands(*found)
        for key in standing.keys() - now.keys():
            ended[key] = minute
            if key in speaking:
                speaking.discard(key)
                told.append((minute, "-", *key))
        for finding in found:
            key = finding.kind, finding.subject
            if key not in speaking and not _is_hushed(finding, now, ended, minute):
                speaking.add(key)
                told.append((minute, "+", *key))
        standing = now
    return told


def _is_hushed(finding: Finding, now, ended, minute):
    roots = topology.roots(finding.kind, finding.subject, finding.estate)
    return any(root in now or minute - ended.get(root, FAR_BACK) < SETTLE for root in roots)


CITY = ("DMG-01", "DMG-02", "PSK-01", "MRD-01", "RWB-01", "TMB-01", "JTN-01", "KLD-01")


def test_a_cable_pulled_for_three_seconds_is_nobodys_business(hand):
    world = World(hand, CITY, silent=lambda device, minute: device == "PSK-01" and minute == 10)
    assert story(world, range(60)) == []


def test_s1_a_broker_that_dies_is_told_once_and_so_is_its_return(hand):
    back = {device: 32 + number / 4 for number, device in enumerate(CITY)}
    world = World(
        hand,
        CITY,
        deaf=lambda minute: 10 <= minute < 30,
        silent=lambda device, minute: 10 <= minute < back[device],
    )
    assert story(world, range(120)) == [(15, "+", Kind.INGEST_DOWN, "*"), (30, "-", Kind.INGEST_DOWN, "*")]


def test_s2_a_city_without_power_for_seven_hours_is_one_outage(hand):
    """4 August 2019, 11.48 to 19.00; the machines come back over eight minutes."""
    dark, light = 11 * 60 + 48, 19 * 60
    back = {device: light + number for number, device in enumerate(CITY)}
    world = World(hand, CITY, silent=lambda device, minute: dark <= minute < back[device])
    assert story(world, range(11 * 60, 20 * 60)) == [
        (dark + 10, "+", Kind.WIDE_OUTAGE, "*"),
        (light + 4, "-", Kind.WIDE_OUTAGE, "*"),
    ]


def test_s3_an_estate_with_one_machine_gets_one_flag_for_ten_days(hand):
    dead, back = 60, 60 + 10 * 24 * 60
    world = World(hand, CITY, silent=lambda device, minute: device == "PSK-01" and dead <= minute < back)
    told = story(world, [*range(120), *range(120, back - 5, 30), *range(back - 5, back + 30)])
    assert told == [(75, "+", Kind.DEVICE_OFFLINE, "PSK-01"), (back, "-", Kind.DEVICE_OFFLINE, "PSK-01")]


@pytest.mark.parametrize(
    ("boot", "uptime_s", "cause"), [(True, 30, "listrik"), (False, 999_999, "jaringan")], ids=["power", "network"]
)
def test_s3_its_return_shows_what_had_failed(hand, boot, uptime_s, cause):
    def says(device, minute):
        fresh = device == "PSK-01" and minute >= 100
        return {"boot": hand.OTHER_BOOT, "uptime_s": uptime_s} if fresh and boot else {"uptime_s": 999_999}

    world = World(hand, CITY, silent=lambda device, minute: device == "PSK-01" and 0 < minute < 100, says=says)
    standing = {}
    for minute in range(100):
        standing = hand.stands(*silence.device_offline(world.look(minute, standing)))
    shown = returned(world.look(100, standing))
    assert shown[Kind.DEVICE_OFFLINE, "PSK-01"]["cause"] == cause


def test_s6_a_clock_in_the_year_2000_for_a_day_is_a_wrong_clock_and_nothing_else(hand):
    wrong, right = 60, 60 + 24 * 60

    def says(device, minute):
        if device != "PSK-01" or not wrong <= minute < right:
            return {"signs": {"offsets_ms": ((hand.at(minute), 0),)}}
        offset = 946_684_800_000 - hand.T0
        return {
            "at": 946_684_800_000 + round(minute * 60_000),
            "clock": "untrusted",
            "uptime_s": round((minute - wrong) * 60),
            "oldest_unsent": hand.at(minute - 1) if minute > wrong + 600 else 946_684_800_000,
            "signs": {"offsets_ms": ((hand.at(minute), offset),)},
        }

    told = story(World(hand, CITY, says=says), range(right + 30))
    assert told == [(wrong, "+", Kind.CLOCK_SKEW, "PSK-01"), (right, "-", Kind.CLOCK_SKEW, "PSK-01")]


def test_s10_of_an_estate_that_is_back_the_machine_that_is_not_is_told_of_when_that_has_settled(hand):
    def silent(device, minute):
        return (device == "DMG-01" and 10 <= minute < 80) or (device == "DMG-02" and minute >= 10)

    assert story(World(hand, CITY, silent=silent), range(120)) == [
        (25, "+", Kind.ESTATE_OFFLINE, "DMG"),
        (80, "-", Kind.ESTATE_OFFLINE, "DMG"),
        (90, "+", Kind.DEVICE_OFFLINE, "DMG-02"),
    ]


def test_s16_a_fault_in_the_night_is_urgent_to_nobody_in_the_night(hand):
    begins, ends = 21 * 60, 29 * 60

    def says(device, minute):
        if device == "PSK-01" and begins <= minute < ends:
            return {"reader": "fault", "signs": {"fault_since_ms": hand.at(begins)}}
        return {}

    told = story(World(hand, CITY, says=says), range(20 * 60, 30 * 60))
    assert told == [(begins + 16, "+", Kind.READER_FAULT, "PSK-01"), (ends, "-", Kind.READER_FAULT, "PSK-01")]
    ill = World(hand, CITY, says=says)
    assert [f.urgency for f in condition.reader_fault(ill.look(begins + 20, {}))] == [Severity.P2]


def test_an_ingest_that_restarts_through_a_machines_outage_neither_ends_nor_doubles_it(hand):
    world = World(
        hand,
        CITY,
        silent=lambda device, minute: device == "PSK-01" and 10 <= minute < 200,
        deaf=lambda minute: minute % 50 in (40, 41, 42),
    )
    assert story(world, range(260)) == [
        (25, "+", Kind.DEVICE_OFFLINE, "PSK-01"),
        (200, "-", Kind.DEVICE_OFFLINE, "PSK-01"),
    ]
