"""The senders: each takes up what is due, makes the call, writes down what became of it. Any number may run.

Nothing is decided here. A sender may die anywhere: what it had taken up is sent once more, marked "(kirim ulang)".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from cloud.alerts import phrasing
from cloud.alerts.channels import Channel, Taken, Trouble, Undelivered
from cloud.alerts.channels.receipts import Receipt
from cloud.alerts.outbox import Errand, Outbox
from cloud.alerts.policy import Notify
from cloud.records import Records, RecordsUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """What senders send with, and under whose name they lease."""

    records: Records
    channels: Mapping[str, Channel]
    holder: str
    notify: Notify = field(default_factory=Notify)
    console: str = ""
    """Where flags are looked at: the link in every message; empty = nowhere."""

    def errand(self, now_ms: int) -> Errand | None:
        """Take up the next thing to be sent; None when nothing is due. Raises `RecordsUnavailable`."""
        outbox = self._outbox()
        return self.records.write(lambda connection: outbox.take(connection, now_ms))

    def deliver(self, errand: Errand) -> Taken | Undelivered:
        """Make the call; never raises: a mistake of ours is an outcome too."""
        channel = self.channels[errand.address.channel]
        traits = channel.traits
        try:
            return channel.send(
                phrasing.outgoing(errand.message, errand.address, errand.notices, traits=traits, console=self.console)
            )
        except Undelivered as error:
            return error
        except Exception as error:  # noqa: BLE001  # the mistake is of this row: it waits, the others go on
            return Undelivered(Trouble.BROKEN, f"a mistake of ours ({phrasing.where(error)}): it waits an hour")

    def settle(self, errand: Errand, result: Taken | Undelivered, now_ms: int) -> None:
        """Write down what became of it. Raises `RecordsUnavailable`: then its lease runs out, and it is unknown."""
        outbox = self._outbox()
        self.records.write(lambda connection: outbox.settle(connection, errand, result, now_ms))
        if isinstance(result, Undelivered):
            level = logging.ERROR if result.trouble in (Trouble.BROKEN, Trouble.CONFIGURATION) else logging.WARNING
            about = {"action": f"message_{result.trouble}", "message_id": errand.message.id}
            log.log(level, "A message was not delivered: %s.", result, extra=about)

    def receive(self, receipt: Receipt, now_ms: int) -> None:
        """What a channel reports of a message that it had accepted. Raises `RecordsUnavailable`."""
        outbox = self._outbox()
        self.records.write(lambda connection: outbox.receive(connection, receipt, now_ms))

    def _outbox(self) -> Outbox:
        traits = {name: channel.traits for name, channel in self.channels.items()}
        return Outbox(self.holder, traits, self.notify, self.console)


def send_one(post: Post, now: Callable[[], int]) -> bool:
    """Send one message, if one is due; whether one was. Raises `RecordsUnavailable`."""
    errand = post.errand(now())
    if errand is None:
        return False
    post.settle(errand, post.deliver(errand), now())
    return True


async def serve(
    post: Post, *, now: Callable[[], int], stop: asyncio.Event, senders: int = 4, pause_s: float = 1.0
) -> None:
    """Send until *stop*; several at a time, so that one slow channel does not hold up the others."""
    async with asyncio.TaskGroup() as tasks:
        for number in range(senders):
            own = replace(post, holder=f"{post.holder}/{number}")
            tasks.create_task(_send_on(own, now=now, stop=stop, pause_s=pause_s))


async def _send_on(post: Post, *, now: Callable[[], int], stop: asyncio.Event, pause_s: float) -> None:
    while not stop.is_set():
        try:
            if await asyncio.to_thread(send_one, post, now):
                continue
        except RecordsUnavailable as error:
            log.warning("Nothing can be sent now: %s.", error, extra={"action": "sending_waits"})
        try:
            async with asyncio.timeout(pause_s):
                await stop.wait()
        except TimeoutError:
            continue
