"""One running worker, put together: cycles, senders, canary. Ends when cancelled; nothing that was decided is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from cloud.alerts import absence, outages, reporting, telling
from cloud.alerts.channels.posting import Poster
from cloud.alerts.evaluating import Judge
from cloud.alerts.outages import PathFacts
from cloud.alerts.service import Outside, Rules, Service
from cloud.alerts.settings import Settings
from cloud.history import open_history
from cloud.records import open_records


def run(settings: Settings, *, now: Callable[[], datetime]) -> None:
    """Work until SIGTERM or SIGINT. Raises `BadSettings`, `BadHistoryUrl`."""
    asyncio.run(_until_terminated(_serve(settings, now)))


async def _serve(settings: Settings, now: Callable[[], datetime]) -> None:
    policies = settings.policies()
    with open_records(settings.database()) as records:
        async with open_history(settings.history, settings.access(), now=now) as history:
            outside = Outside(
                history,
                lambda: round(now().timestamp() * 1000),
                ping=pinger(settings.ping_url()),
                shown=shower(settings.ready_file),
            )
            service = Service(
                records,
                policies,
                rules(lambda: PathFacts()),
                outside=outside,
                read=reporting.read,
                instance=settings.instance,
            )
            await work(service, [])


async def work(service: Service, others: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Cycle, with *others* beside it, until cancelled; then let another worker go on."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.run())
            for each in others:
                tasks.create_task(each)
    finally:
        await service.give_back()


def rules(path: Callable[[], PathFacts]) -> Rules:
    """All rules of the live system; *path* = what this worker has seen of broker and channels."""
    memory = absence.Memory()

    def minutely() -> Sequence[Judge]:
        return partial(outages.judge, path=path()), partial(absence.judge, memory=memory)

    return Rules(minutely, tell=telling.tell)


def pinger(url: str) -> Callable[[], None]:
    """Calls the dead man's switch at *url*; empty = there is none."""
    if not url:
        return lambda: None
    poster = Poster("the dead man's switch", timeout_s=5)

    def ping() -> None:
        poster.post(url, b"", {})

    return ping


def shower(path: Path | None) -> Callable[[bool], None]:
    """Touches *path* while cycles end well, removes it while not: what a container's health check looks at."""

    def show(is_ready: bool) -> None:
        if path is None:
            return
        with suppress(OSError):
            if is_ready:
                path.touch()
            else:
                path.unlink(missing_ok=True)

    return show


async def _until_terminated(work: Coroutine[Any, Any, None]) -> None:
    """Run *work*; SIGTERM and SIGINT cancel it, and that is a clean end."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
