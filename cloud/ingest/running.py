"""One running ingester, put together. Ends when cancelled; whatever was taken is stored, or sent again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cloud.feed import Feed
from cloud.ingest.chores import Chores
from cloud.ingest.service import Service

log = logging.getLogger(__name__)

LOOK_S: Final = 5.0


async def run(feed: Feed, service: Service, chores: Chores, *, ready_file: Path | None = None) -> None:
    """Work until cancelled."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(feed.run())
            tasks.create_task(service.run())
            tasks.create_task(chores.run())
            if ready_file is not None:
                tasks.create_task(_show_readiness(ready_file, lambda: is_ready(feed, chores)))
    finally:
        await chores.give_back()
        if ready_file is not None:
            _show(ready_file, is_ready=False)


async def is_ready(feed: Feed, chores: Chores) -> bool:
    """Whether a tap sent now would be stored and answered."""
    return feed.is_taking and await chores.can_store()


async def _show_readiness(path: Path, ready: Callable[[], Awaitable[bool]]) -> None:
    """Touch *path* while ready, remove it while not: what a container's health check looks at."""
    while True:
        _show(path, is_ready=await ready())
        await asyncio.sleep(LOOK_S)


def _show(path: Path, *, is_ready: bool) -> None:
    with suppress(OSError):
        if is_ready:
            path.touch()
        else:
            path.unlink(missing_ok=True)
