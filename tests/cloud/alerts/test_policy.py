"""The policy file: what is missing, what is amended, what is refused."""

from datetime import date
from fractions import Fraction

import pytest

from cloud.alerts import policy
from cloud.alerts.kinds import NATURE, Kind
from cloud.alerts.policy import BadPolicy, Policies, Policy

DAY = date(2026, 7, 1)


def test_the_shipped_file_says_the_defaults() -> None:
    assert policy.shipped().at(DAY) == Policy(version="2026-1")


def test_an_empty_file_is_the_default() -> None:
    assert policy.parse("").at(DAY) == Policies().at(DAY) == Policy()


def test_a_share_is_exact() -> None:
    assert policy.parse("[absence]\nmin_counted_share = 0.7").at(DAY).absence.min_counted_share == Fraction(7, 10)


def test_an_amendment_holds_from_its_day_and_keeps_the_rest() -> None:
    found = policy.parse(
        '[absence]\nwatch = 1\n[[amendment]]\nversion = "b"\neffective = 2026-07-01\n[amendment.absence]\nopen = 5\n'
        "remind = 6\n"
    )
    before, after = found.at(date(2026, 6, 30)), found.at(DAY)
    assert (before.version, before.absence.open, before.absence.watch) == ("default", 3, 1)
    assert (after.version, after.absence.open, after.absence.watch) == ("b", 5, 1)
    assert found.changes() == [DAY]


def test_an_estate_may_differ() -> None:
    found = policy.parse("[absence]\nwatch = 1\n[estate.DMG.absence]\nperiod_days = 7")
    assert found.at(DAY, "DMG").absence.period_days == 7
    assert found.at(DAY, "DMG").absence.watch == 1
    assert found.at(DAY, "PSK").absence.period_days == 14


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[absence]\nperiod_day = 7", "absence.period_day"),
        ("[absence]\nperiod_days = 0", "absence.period_days"),
        ("[absence]\nopen = 9", "must not fall"),
        ("[mass]\nshare = 2.0", "mass.share"),
        ("[estate.DMG.absence]\nopen = 9", "estate.DMG.absence"),
        ("[estate]\nDMG = 1", "must be tables by code"),
        ("absence = [", "no TOML"),
        ("amendment = 1", "[[amendment]]"),
        ('[[amendment]]\nversion = "b"', "effective must be a date"),
        ("[[amendment]]\neffective = 2026-07-01", "version is missing"),
        ('[shadow]\nkinds = ["X"]', "shadow.kinds"),
    ],
)
def test_a_bad_policy_is_refused_by_the_name_of_its_key(text: str, says: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        policy.parse(text)
    assert says in str(caught.value)


def test_every_kind_has_a_nature() -> None:
    assert set(NATURE) == set(Kind)
