"""The alert worker as a process of its own, `python -m demo.alerter`: wired as in production, in the city's time.

Everything else comes from the same HADIR_… variables.
"""

import asyncio
import os
import signal
from typing import Final

from cloud.alerts import running
from cloud.alerts.__main__ import configure_logging
from cloud.alerts.settings import Settings
from demo.ingester import CLOCK, PACE
from edge.clock.simulated import SimulatedClock

LISTENING: Final = "Connected to the broker"

if __name__ == "__main__":
    configure_logging("INFO")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which ends its programs in good order
    clock = SimulatedClock(os.environ[CLOCK])
    work = running.serve(Settings.read(), clock.now, pace=float(os.environ[PACE]))
    asyncio.run(running.until_terminated(work))
