"""The canary: says something through the broker every half minute, and notes when it hears it back.

That broker, certificates and rights work is proven by nothing less: a broker grants a subscription it will never serve,
and takes messages it gives to nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from cloud.feed import Arrived
from contract import codec, topics
from contract.codec import BadMessage
from contract.messages import Canary as Song
from contract.topics import Canary as Where

log = logging.getLogger(__name__)


class Air(Protocol):
    """Where it sings and listens: a feed that subscribes to `cloud.feed.CANARY`."""

    async def publish(self, topic: Where, payload: bytes) -> bool:
        """Say something."""
        ...

    async def next_sign(self) -> Arrived:
        """The next message that arrived."""
        ...


class Canary:
    """One worker's canary. *every_s* is real seconds; instants are by the given clock."""

    def __init__(self, air: Air, *, instance: str, every_s: float, now: Callable[[], datetime]) -> None:
        self._air = air
        self._instance = instance
        self._every_s = every_s
        self._now = now
        self._number = 0
        self.since_ms: int | None = None
        """Since when it has been singing; None = not yet."""
        self.heard_ms: int | None = None
        """When the last song that came back had been sung."""

    async def run(self) -> None:
        """Sing and listen until cancelled."""
        self.since_ms = self._now_ms()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_singing())
            tasks.create_task(self._keep_listening())

    async def sing(self) -> bool:
        """Sing once; False = the broker did not take it."""
        self._number += 1
        song = Song(instance=self._instance, at=self._now_ms(), number=self._number)
        return await self._air.publish(topics.CANARY, codec.encode(song))

    def hear(self, arrived: Arrived) -> None:
        """Take note of what arrived. Only its own songs prove anything of its own way through the broker."""
        try:
            song = codec.decode_canary(arrived.payload)
        except BadMessage as error:
            log.warning("A song cannot be read: %s", error, extra={"action": "canary_unreadable"})
            return
        if topics.is_canary(arrived.topic) and song.instance == self._instance and song.number <= self._number:
            self.heard_ms = song.at

    async def _keep_singing(self) -> None:
        while True:
            await self.sing()
            await asyncio.sleep(self._every_s)

    async def _keep_listening(self) -> None:
        while True:
            self.hear(await self._air.next_sign())

    def _now_ms(self) -> int:
        return round(self._now().timestamp() * 1000)
