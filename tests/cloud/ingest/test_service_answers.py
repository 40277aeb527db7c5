"""The answers of one rush go out together: none waits for the broker's receipt of another."""

import asyncio

from cloud.feed import Arrived
from cloud.ingest.service import Service
from contract import codec, topics
from contract.topics import Topic


class SlowBroker:
    """Gives a receipt only once *all* answers are on their way."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._begun = 0
        self._all = asyncio.Event()

    async def next(self) -> Arrived:
        raise NotImplementedError

    async def next_sign(self) -> Arrived:
        raise NotImplementedError

    async def publish(self, topic: Topic, payload: bytes) -> bool:
        self._begun += 1
        if self._begun == self._wanted:
            self._all.set()
        await self._all.wait()
        return True


async def test_answers_to_several_machines_do_not_wait_for_each_other(world):
    machines = [world.Machine(device=name) for name in ("DMG-01", "DMG-02")]
    rush = [
        Arrived(str(topics.records(each.device)), _payload(each.batch(each.tap(1))), False, world.NOON)
        for each in machines
    ]
    async with asyncio.timeout(20):
        await Service(SlowBroker(len(machines)), world.store).work(rush)


def _payload(incoming) -> bytes:
    return codec.encode_batch(incoming.batch.envelope, [each.body for each in incoming.batch.records])
