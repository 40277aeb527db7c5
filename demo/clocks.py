"""The city's time: a simulated clock per machine and one for the cloud. They show the same, and obey their files."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from contract.topics import DeviceId
from demo import past
from edge.clock import simulated
from edge.clock.simulated import SimulatedClock

STANDSTILL: float = 0.001
"""How fast time passes while the city is being built: as good as not at all."""
CITY = "city"


class Clocks:
    """Clock files below *folder*. Made once, standing still at *start*."""

    def __init__(self, folder: Path, machines: Iterable[DeviceId], *, start: datetime) -> None:
        self._folder = folder
        self._names = (CITY, *machines)
        folder.mkdir()
        for name in self._names:
            simulated.write(self.file(name), simulated.start(past.milliseconds(start), speed=STANDSTILL))
        self.city = SimulatedClock(self.file(CITY))

    def file(self, name: str) -> Path:
        """Where the clock of a machine (or the city) lives."""
        return self._folder / f"{name}.json"

    def lose(self, machine: DeviceId) -> None:
        """That machine starts without a battery: it believes it is 1970, and knows that it does not know."""
        simulated.reboot(self.file(machine), wall_ms=0)

    def find(self, machine: DeviceId) -> None:
        """The network has told that machine the time."""
        path = self.file(machine)
        now = simulated.real_ms()
        right = simulated.read(self.file(CITY)).wall_at(now)
        simulated.write(path, replace(simulated.read(path).moved(now), wall_ms=right, trusted=True))

    def run(self, speed: float) -> None:
        """Let time pass at *speed*, everywhere from the same instant on."""
        now = simulated.real_ms()
        for name in self._names:
            path = self.file(name)
            simulated.write(path, replace(simulated.read(path).moved(now), speed=speed))
