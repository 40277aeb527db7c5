"""Ingest as a process of its own, `python -m demo.ingester`: wired as in production, but its clock is the city's.

Everything else comes from the same HADIR_… variables.
"""

import asyncio
import contextlib
import os
import signal
from typing import Final

from cloud.feed import Feed
from cloud.history import open_history
from cloud.ingest import running
from cloud.ingest.__main__ import configure_logging
from cloud.ingest.chores import Chores
from cloud.ingest.service import Service
from cloud.ingest.settings import Settings
from cloud.ingest.store import Store
from cloud.records import open_records
from edge.clock.simulated import SimulatedClock

CLOCK: Final = "HADIR_DEMO_CLOCK"
PACE: Final = "HADIR_DEMO_PACE"


async def serve(settings: Settings, clock: SimulatedClock, *, pace: float) -> None:
    """Work until cancelled."""
    with open_records(settings.database()) as records:
        async with open_history(settings.history, settings.access(), now=clock.now) as history:
            feed = Feed(settings.address(), now=clock.now)
            store = Store(records, history, opener=settings.opener(), now=clock.now)
            chores = Chores(store, feed, instance=settings.instance, pace=pace)
            await running.run(feed, Service(feed, store), chores, ready_file=settings.ready_file)


async def until_terminated(settings: Settings, clock: SimulatedClock, *, pace: float) -> None:
    """The same, until SIGTERM."""
    task = asyncio.create_task(serve(settings, clock, pace=pace))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    configure_logging("INFO")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the demo, which ends ingest after the machines
    asyncio.run(until_terminated(Settings.read(), SimulatedClock(os.environ[CLOCK]), pace=float(os.environ[PACE])))
