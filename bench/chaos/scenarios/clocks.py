"""Machines without a battery clock: what they record before they know the time comes out right."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from bench.chaos.machine import Machine, now_ms
from bench.chaos.rig import standing
from bench.chaos.score import Score
from bench.chaos.stage import Stage
from edge import dating
from edge.clock import simulated

JOURNEY_MS: Final = round(dating.MAX_JOURNEY_S * 1000 / 2)
"""By so much a time learnt from an answer may be off: half of the longest journey that is believed."""
DAY_MS: Final = round(timedelta(days=1) / timedelta(milliseconds=1))
HOUR_MS: Final = round(timedelta(hours=1) / timedelta(milliseconds=1))


def clock_at_1970(stage: Stage) -> Score:
    """All wake up in 1970 without network; two are set right before it is back, one learns the time from an answer."""
    with standing(stage) as rig:
        rig.broker.stop()
        for machine in rig.machines:
            simulated.write(_clock(machine), simulated.start(0, trusted=False))
        rig.start_machines()
        rig.lay(0.5)
        for machine in rig.machines[:2]:
            _set_right(machine)
        rig.lay(0.2)
        rig.broker.start()
        rig.centre.start()
        rig.mended()
        rig.lay(0.3)
        rig.settle()
        return rig.score(tolerance_ms=JOURNEY_MS)


def saved_clock_behind(stage: Stage) -> Score:
    """Without network, a start 9 days back; the power goes before anybody knows better; then a right start."""
    with standing(stage) as rig:
        rig.start()
        rig.lay(0.3)
        rig.settle()
        rig.broker.stop()
        for machine in rig.machines:
            _reboot(machine, wall_ms=now_ms() - 9 * DAY_MS)
        rig.lay(0.4)
        for machine in rig.machines:
            _reboot(machine, wall_ms=now_ms())
            _set_right(machine)
        rig.broker.start()
        rig.mended()
        rig.lay(0.3)
        rig.settle()
        return rig.score(tolerance_ms=JOURNEY_MS)


def clock_stepped_back(stage: Stage) -> Score:
    """The saved time is an hour ahead; the clock is stepped back when the time is known, without network and with."""
    with standing(stage) as rig:
        rig.broker.stop()
        for machine in rig.machines:
            simulated.write(_clock(machine), simulated.start(now_ms() + HOUR_MS, trusted=False))
        rig.start_machines()
        rig.lay(0.4)
        _set_right(rig.machines[0])
        rig.broker.start()
        rig.centre.start()
        rig.lay(0.2)
        for machine in rig.machines[1:]:
            _set_right(machine)
        rig.mended()
        rig.lay(0.4)
        rig.settle()
        return rig.score(tolerance_ms=JOURNEY_MS, note=f"{len(rig.centre.events('clock_step'))} steps reported")


def _clock(machine: Machine) -> Path:
    return machine.folder / "clock.json"


def _set_right(machine: Machine) -> None:
    """NTP reaches it: the wall clock jumps to the true time, and is believed."""
    path = _clock(machine)
    setting = simulated.read(path).moved(simulated.real_ms())
    simulated.write(path, replace(setting, wall_ms=now_ms(), trusted=True))


def _reboot(machine: Machine, *, wall_ms: int) -> None:
    """A power cut, after which the clock shows *wall_ms*."""
    machine.kill()
    simulated.reboot(_clock(machine), wall_ms=wall_ms)
    machine.start()
