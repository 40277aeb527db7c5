"""A policy that could never be applied is named before it comes into force."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.alerts import checking, policy
from cloud.alerts.checking import Obstacle
from cloud.days import starts
from cloud.records.registry import Estate, Installation

TODAY = date(2026, 6, 1)  # a Monday
DMG = Estate("DMG", "Damai", None, None, date(2026, 1, 1))


def machine(hours: str = "", *, removed: date | None = None) -> Installation:
    return Installation("DMG-01", "DMG", 0, starts(removed) if removed is not None else None, hours)


def found(text: str, *machines: Installation) -> list[tuple[str, Obstacle, date]]:
    those = checking.troubles(policy.parse(text), [DMG], machines, today=TODAY)
    return [(each.estate, each.obstacle, each.since) for each in those]


@pytest.mark.parametrize(
    ("text", "machines", "obstacles"),
    [
        pytest.param("", [machine()], [], id="all is well"),
        pytest.param("", [], [Obstacle.NO_MACHINE], id="no machine"),
        pytest.param("", [machine(removed=date(2026, 5, 1))], [Obstacle.NO_MACHINE], id="its machine was taken away"),
        pytest.param("", [machine("Mon 25:00-26:00")], [Obstacle.BAD_HOURS], id="hours nobody can read"),
        pytest.param("[absence]\nperiod_days = 1", [machine("Sun 08:00-09:00")], [], id="one weekday is enough"),
        pytest.param("[absence]\nmin_able_share = 1", [machine()], [Obstacle.EVERY_MINUTE], id="every single minute"),
        pytest.param("[estate.DGM.absence]\nopen = 4", [machine()], [Obstacle.UNKNOWN_ESTATE], id="a slip of the pen"),
    ],
)
def test_what_keeps_the_clock_from_running_is_named(
    text: str, machines: list[Installation], obstacles: list[Obstacle]
) -> None:
    assert [obstacle for _, obstacle, _ in found(text, *machines)] == obstacles


def test_a_policy_that_is_still_to_come_is_looked_at_too() -> None:
    amended = '[[amendment]]\nversion = "2"\neffective = 2026-07-01\n[amendment.absence]\nmin_able_share = 1'
    assert found(amended, machine()) == [("DMG", Obstacle.EVERY_MINUTE, date(2026, 7, 1))]


def test_what_is_over_is_not() -> None:
    past = '[[amendment]]\nversion = "2"\neffective = 2026-05-01\n[amendment.absence]\nmin_able_share = 1'
    assert found(past, machine()) == [("DMG", Obstacle.EVERY_MINUTE, TODAY)]
