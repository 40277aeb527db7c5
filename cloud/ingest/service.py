"""The ingester at work: takes what the feed gives, in small batches, stores it, answers. Nothing stops the loop.

A database that cannot be reached is waited for, and no more is taken meanwhile than the feed allows; signs of life
never wait for records. A message that breaks the program is set aside as a dead letter.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, Protocol

import tenacity

from cloud.feed import Arrived
from cloud.ingest import faults, reading
from cloud.ingest.complaints import Complaints
from cloud.ingest.reading import Read, Said
from cloud.ingest.requests import Incoming
from cloud.ingest.store import Answer, Store
from cloud.records import RecordsUnavailable
from cloud.records.heard import Beat
from cloud.records.verdicts import Letter
from contract import codec, topics
from contract.messages import Resume, Stored
from contract.topics import Topic

log = logging.getLogger(__name__)

MOST_RECORDS: Final = 500
LONGEST_WAIT_S: Final = 0.2
MOST_MESSAGES: Final = 500


class Source(Protocol):
    """Where messages come from and answers go: the feed, or a hand-made one in tests."""

    async def next(self) -> Arrived:
        """The next batch of records."""
        ...

    async def next_sign(self) -> Arrived:
        """The next message of another kind."""
        ...

    async def publish(self, topic: Topic, payload: bytes) -> bool:
        """Say something."""
        ...


class Service:
    """Feed to store and back, until cancelled."""

    def __init__(self, feed: Source, store: Store) -> None:
        self._feed = feed
        self._store = store
        self._complaints = Complaints()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._work_off(self._feed.next))
            tasks.create_task(self._work_off(self._feed.next_sign))

    async def _work_off(self, following: Callable[[], Awaitable[Arrived]]) -> None:
        while True:
            await self.work(await _some(following))

    async def work(self, messages: Sequence[Arrived]) -> None:
        """Store these messages and answer them."""
        try:
            await self._take([_read(each) for each in messages])
        except Exception as error:  # noqa: BLE001  # the top of the service loop
            await self._take_apart(messages, error)

    async def _take_apart(self, messages: Sequence[Arrived], error: Exception) -> None:
        """One by one, so that only what breaks us is lost; and that not quite."""
        if len(messages) > 1:
            for each in messages:
                await self.work([each])
            return
        self._store.tally.failures += 1
        log.error(
            "A message breaks this program: set aside (%s)", faults.told(error), extra={"action": "message_broke"}
        )
        lone = messages[0]
        why = f"the ingester failed on it ({type(error).__name__}); replay it after an upgrade"
        letter = reading.letter(
            lone.topic, lone.payload, reason="program_fault", explanation=why, arrived_ms=lone.arrived_ms
        )
        try:
            await self._take([letter])
        except Exception as fault:  # noqa: BLE001  # the top of the service loop
            log.error("A dead letter could not be kept (%s)", faults.told(fault), extra={"action": "letter_lost"})

    async def _take(self, read: Sequence[Read]) -> None:
        async for attempt in _patience():
            with attempt:
                await self._take_once(read)

    async def _take_once(self, read: Sequence[Read]) -> None:
        beats = [each for each in read if isinstance(each, Beat)]
        incoming = [each for each in read if isinstance(each, Incoming)]
        said = [each for each in read if isinstance(each, Said)]
        if incoming:
            await self._answer(await self._store.take(incoming))
        if beats:
            await self._answer(await self._store.take_beats(beats))
        for each in said:
            resumes = await self._store.take_status(
                each.status, arrived_ms=each.arrived_ms, is_retained=each.is_retained
            )
            await self._answer(resumes)
        await self._store.file([each for each in read if isinstance(each, Letter) and self._complaints.is_new(each)])

    async def _answer(self, messages: Sequence[Answer]) -> None:
        """All at once: one after the other, each would wait for the broker's receipt of the one before."""
        async with asyncio.TaskGroup() as tasks:
            for message in messages:
                tasks.create_task(self._feed.publish(_topic(message), codec.encode(message)))


async def _some(following: Callable[[], Awaitable[Arrived]]) -> list[Arrived]:
    """At least one message, and what follows within `LONGEST_WAIT_S`, up to about `MOST_RECORDS` records."""
    messages = [await following()]
    try:
        async with asyncio.timeout(LONGEST_WAIT_S):
            while len(messages) < MOST_MESSAGES and _records(messages) < MOST_RECORDS:
                messages.append(await following())
    except TimeoutError:
        pass
    return messages


def _read(arrived: Arrived) -> Read:
    return reading.read(arrived.topic, arrived.payload, arrived_ms=arrived.arrived_ms, is_retained=arrived.is_retained)


def _topic(message: Stored | Resume) -> Topic:
    return topics.stored(message.device) if isinstance(message, Stored) else topics.resume(message.device)


def _records(messages: Sequence[Arrived]) -> int:
    """How many records these messages hold, roughly: none can be shorter than 100 bytes."""
    return sum(min(codec.MAX_RECORDS, len(each.payload) // 100) for each in messages if each.topic.endswith("/records"))


def _patience() -> AsyncIterator[tenacity.AttemptManager]:
    """As long as it takes for the database to come back."""
    return aiter(
        tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(RecordsUnavailable),
            wait=tenacity.wait_random_exponential(multiplier=0.2, max=15),
            before_sleep=_say_waiting,
            reraise=True,
        )
    )


def _say_waiting(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    level = logging.ERROR if state.attempt_number in (3, 30) else logging.DEBUG
    log.log(level, "Storing waits: %s", error, extra={"action": "records_unavailable"})
