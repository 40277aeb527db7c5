"""The city against servers elsewhere: whose words count as online, and a plan that goes on where it was."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path

import pytest
from click.testing import CliRunner

from contract.topics import DeviceId
from demo import elsewhere
from demo.__main__ import main
from demo.elsewhere import Online
from demo.fleet import Said
from edge.signals import Signal

CITY = elsewhere._city(17, 0.02)
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
DEVICE = DeviceId("DMG-01")


@pytest.mark.parametrize(
    ("signals", "is_online"),
    [
        ([], False),
        ([Signal.READY_OFFLINE], False),
        ([Signal.READY_OFFLINE, Signal.READY], True),
        ([Signal.READY, Signal.STORED_OFFLINE], False),
        ([Signal.READY, Signal.FAULT], False),
        ([Signal.READY, Signal.TRY_AGAIN], True),
    ],
)
def test_a_machine_is_online_by_its_own_words(signals: list[Signal], is_online: bool) -> None:
    online = Online()
    for signal in signals:
        online.told(DEVICE, Said(signal, None, 0.0))
    assert (DEVICE in online.known) is is_online


def test_a_restart_goes_on_with_the_same_plan() -> None:
    later = NOW + timedelta(days=30)
    before, after = (elsewhere.taps(CITY, since=since, seed=17) for since in (NOW, later))
    horizon = later + timedelta(days=20)
    machine = CITY.machines[0]
    planned = [tap for tap in takewhile(lambda tap: tap.at < horizon, before(machine)) if tap.at >= later]
    assert planned == [tap for tap in takewhile(lambda tap: tap.at < horizon, after(machine)) if tap.at >= later]
    assert planned


def test_the_plan_has_taps_ahead_at_every_machine() -> None:
    planned = elsewhere.taps(CITY, since=NOW, seed=17)
    for machine in CITY.machines:
        assert next(tap for tap in planned(machine) if tap.at > NOW).machine == machine


def test_the_registry_has_the_machines_that_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["registry", str(tmp_path), "--units", "0.02"])
    assert result.exit_code == 0, result.output
    installed = (tmp_path / "installations.csv").read_text().splitlines()[1:]
    assert [line.partition(",")[0] for line in installed] == list(CITY.machines)
    assert len(CITY.machines) == 32


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["machines"], env={"HADIR_BROKER": "mqtts://localhost"})
    assert result.exit_code == 2
    assert "--ca-file" in result.output
