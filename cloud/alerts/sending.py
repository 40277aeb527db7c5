"""The outbox worker: takes up what is due, sends it, writes down what became of it. Several may run.

An attempt is written before its call; whatever happens in between is an unknown outcome, sent once more and marked.
Each person is dealt with by one sender at a time; what must be decided is decided by `dispatch`.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from cloud.alerts import texts
from cloud.alerts.channels import Channel, Outgoing, Taken, Text, Trouble, Undelivered
from cloud.alerts.channels.receipts import Receipt
from cloud.alerts.dispatch import desk, retrying, system
from cloud.alerts.dispatch.desk import Desk, Drop, Lapsed, Release, Rest, Retry, Send
from cloud.alerts.dispatch.retrying import Again, Done, Elsewhere, Verdict
from cloud.alerts.policy import Notify
from cloud.alerts.texts import Wording
from cloud.records import Connection, Records, RecordsUnavailable, messages, notices, people
from cloud.records.messages import Message
from cloud.records.notices import Notice, State
from cloud.records.people import Address, Person

log = logging.getLogger(__name__)

BROKEN_MS = retrying.BROKEN_S * 1000


@dataclass(frozen=True, slots=True)
class Errand:
    """A call to be made: its attempt is written down, its lease runs."""

    attempt: int
    message: Message
    address: Address
    notices: Sequence[Notice] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """A sender: what it sends with, and under whose name it leases."""

    records: Records
    channels: Mapping[str, Channel]
    holder: str
    notify: Notify = field(default_factory=Notify)
    console: str = ""
    """Where flags are looked at: the link in every message."""

    # ---- one errand --------------------------------------------------------------------------------------------------

    def errand(self, now_ms: int) -> Errand | None:
        """Take up the next thing to be sent; None when nothing is due. Raises `RecordsUnavailable`."""
        return self.records.write(lambda connection: self._take(connection, now_ms))

    def deliver(self, errand: Errand) -> Taken | Undelivered:
        """Make the call; what the channel says, or `Undelivered`. Never raises: a mistake of ours is one of those."""
        try:
            return self.channels[errand.address.channel].send(self._outgoing(errand))
        except Undelivered as error:
            return error
        except Exception as error:  # noqa: BLE001  # one row that throws must not stop the others
            log.error(
                "A message could not be sent for a mistake of ours (%s at %s): it waits an hour, the others go on.",
                type(error).__name__,
                _where(error),
                extra={"action": "message_broken", "message_id": errand.message.id},
            )
            return Undelivered(Trouble.BROKEN, f"{type(error).__name__} at {_where(error)}")

    def settle(self, errand: Errand, result: Taken | Undelivered, now_ms: int) -> None:
        """Write down what became of it. Raises `RecordsUnavailable`: then the lease runs out and it is unknown."""
        self.records.write(lambda connection: self._settle(connection, errand, result, now_ms))
        if isinstance(result, Undelivered):
            log.warning("%s", result, extra={"action": f"message_{result.trouble}", "message_id": errand.message.id})

    # ---- what is next ------------------------------------------------------------------------------------------------

    def _take(self, connection: Connection, now_ms: int) -> Errand | None:
        for name in messages.with_work(connection, now_ms):
            if messages.lock(connection, name):
                errand = self._serve(connection, name, now_ms)
                if errand is not None:
                    return errand
        return None

    def _serve(self, connection: Connection, name: str, now_ms: int) -> Errand | None:
        """Do for one person what needs no call, until something is to be sent or nothing is left."""
        traits = {channel: each.traits for channel, each in self.channels.items()}
        while True:
            lies = _desk(connection, name, now_ms)
            fits = partial(self._fits, lies)
            step = desk.next_step(lies, now_ms=now_ms, notify=self.notify, traits=traits, fits=fits)
            match step:
                case Rest():
                    return None
                case Lapsed():
                    self._lapse(connection, step.message, lies.person, now_ms)
                case Release():
                    shun = step.message.address if step.shuns else None
                    messages.release(connection, step.message.id, shun=shun, now_ms=now_ms)
                case Drop():
                    state = State.MOOT if step.is_moot else State.UNREACHED
                    messages.give_up(connection, step.ids, state, because=step.because, now_ms=now_ms)
                case Retry():
                    carried = messages.carried(connection, step.message.id)
                    return self._started(connection, step.message, step.address, carried, now_ms)
                case Send():
                    errand = self._bound(connection, step, now_ms)
                    if errand is not None:
                        return errand

    def _bound(self, connection: Connection, step: Send, now_ms: int) -> Errand | None:
        """A new message; what cannot be put into words is set aside for an hour, the rest goes."""
        legible = [notice for notice in step.notices if self._is_legible(notice)]
        aside = [notice.id for notice in step.notices if notice not in legible]
        if aside:
            messages.set_aside(connection, aside, until_ms=now_ms + BROKEN_MS)
        if not legible:
            return None
        message = messages.bind(connection, legible, address=step.address.id, amends=step.amends, now_ms=now_ms)
        return self._started(connection, message, step.address, legible, now_ms)

    def _started(
        self, connection: Connection, message: Message, address: Address, carried: Sequence[Notice], now_ms: int
    ) -> Errand:
        until_ms = now_ms + self.notify.lease_s * 1000
        attempt = messages.start(connection, message, holder=self.holder, now_ms=now_ms, until_ms=until_ms)
        return Errand(attempt, message, address, carried)

    def _lapse(self, connection: Connection, message: Message, person: Person, now_ms: int) -> None:
        words = "its sender died during the call: it may have arrived"
        if message.running is not None:
            messages.end(connection, message.running, "unknown", explanation=words, reference=None, now_ms=now_ms)
        verdict = retrying.after_silence(message, self.notify, now_ms=now_ms)
        address = next((each for each in person.addresses if each.id == message.address), None)
        self._carry_out(connection, message, address, verdict, words=words, now_ms=now_ms)

    # ---- what became of it -------------------------------------------------------------------------------------------

    def _settle(self, connection: Connection, errand: Errand, result: Taken | Undelivered, now_ms: int) -> None:
        messages.lock_surely(connection, errand.message.person)
        if isinstance(result, Taken):
            verdict: Verdict = retrying.after_success(result)
            outcome, words, reference = "delivered" if result.is_delivered else "accepted", "", result.reference
        else:
            verdict = retrying.after_trouble(errand.message, result, self.notify, now_ms=now_ms)
            outcome, words, reference = result.trouble.value, str(result), None
        is_first = messages.end(
            connection, errand.attempt, outcome, explanation=words, reference=reference, now_ms=now_ms
        )
        if not is_first:  # our lease had run out: another sender has decided already
            return
        if isinstance(result, Taken):
            messages.unhold(connection, errand.address.channel)
        elif result.moved_to is not None:
            people.move(connection, errand.address.id, to=result.moved_to)
        self._carry_out(connection, errand.message, errand.address, verdict, words=words, now_ms=now_ms)

    def _carry_out(
        self,
        connection: Connection,
        message: Message,
        address: Address | None,
        verdict: Verdict,
        *,
        words: str,
        now_ms: int,
    ) -> None:
        match verdict:
            case Done():
                messages.close(connection, message.id, verdict.fate, verdict.state, now_ms=now_ms)
            case Again():
                messages.again(
                    connection,
                    message.id,
                    next_ms=verdict.next_ms,
                    tries=verdict.tries,
                    unknowns=verdict.unknowns,
                )
            case Elsewhere():
                shun = message.address if verdict.shuns else None
                messages.release(connection, message.id, shun=shun, now_ms=now_ms)
                if address is not None:
                    self._give_way(connection, message.person, address, verdict, words=words, now_ms=now_ms)

    def _give_way(
        self, connection: Connection, person: str, address: Address, verdict: Elsewhere, *, words: str, now_ms: int
    ) -> None:
        if verdict.holds_until_ms is not None:
            messages.hold(connection, address.channel, reason=words, now_ms=now_ms, until_ms=verdict.holds_until_ms)
        if verdict.disables and people.disable(connection, address.id, because=words, now_ms=now_ms):
            everybody = people.everybody(connection)
            notices.add(connection, system.address_lost(person, address, everybody, now_ms=now_ms), now_ms=now_ms)

    def receive(self, receipt: Receipt, now_ms: int) -> None:
        """What a channel reports of a message that it had accepted. Raises `RecordsUnavailable`."""
        self.records.write(lambda connection: self._receive(connection, receipt, now_ms))

    def _receive(self, connection: Connection, receipt: Receipt, now_ms: int) -> None:
        about = messages.reported(connection, receipt.reference)
        if about is None:
            return
        messages.lock_surely(connection, about.person)
        messages.note_receipt(connection, about, receipt.status, now_ms=now_ms)
        if receipt.is_delivered:
            messages.mark_delivered(connection, about.message)
        elif receipt.trouble is not None and messages.reopen(connection, about.message):
            self._bounced(connection, about, receipt.trouble, now_ms)

    def _bounced(self, connection: Connection, about: messages.Reported, trouble: Trouble, now_ms: int) -> None:
        """Accepted, and then it did not arrive: it goes another way."""
        person = people.named(connection, about.person)
        address = next((each for each in person.addresses if each.id == about.address), None) if person else None
        words = "accepted by the channel, which then reported that it could not be delivered"
        messages.release(connection, about.message, shun=about.address, now_ms=now_ms)
        if address is not None and trouble is Trouble.ADDRESS:
            self._give_way(connection, about.person, address, Elsewhere(disables=True), words=words, now_ms=now_ms)

    # ---- words -------------------------------------------------------------------------------------------------------

    def _outgoing(self, errand: Errand) -> Outgoing:
        traits = self.channels[errand.address.channel].traits
        is_repeat = errand.message.unknowns > 0 or any(notice.is_repeat for notice in errand.notices)
        words = Wording(traits.is_chat, self.console, is_repeat)
        text = texts.cut(_text([notice.facts for notice in errand.notices], words), traits.max_chars)
        return Outgoing(
            key=str(errand.message.id),
            address=errand.address.address,
            text=text,
            amends=errand.message.amends,
            made_ms=errand.message.made_ms,
            letter="" if traits.is_chat else texts.letter(text),
            html="" if traits.is_chat else texts.html(text),
        )

    def _fits(self, lies: Desk, together: Sequence[Notice], channel: str) -> int:
        traits = self.channels[channel].traits
        words = Wording(traits.is_chat, self.console)
        legible = [notice.facts for notice in together if self._is_legible(notice)]
        return texts.fits(legible, words, max_chars=traits.max_chars) + len(together) - len(legible)

    def _is_legible(self, notice: Notice) -> bool:
        try:
            texts.compose(notice.facts, Wording())
            texts.compose(notice.facts, Wording(is_chat=False))
        except Exception as error:  # noqa: BLE001  # the mistake is of this row: it waits, the others go on
            log.error(
                "A notice cannot be put into words (%s at %s): it waits an hour, the others go on.",
                type(error).__name__,
                _where(error),
                extra={"action": "notice_broken", "notice_id": notice.id},
            )
            return False
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
            log.warning("Nothing can be sent: %s", error, extra={"action": "sending_waits"})
        try:
            async with asyncio.timeout(pause_s):
                await stop.wait()
        except TimeoutError:
            pass


def send_one(post: Post, now: Callable[[], int]) -> bool:
    """Send one message, if one is due; whether one was. Raises `RecordsUnavailable`."""
    errand = post.errand(now())
    if errand is None:
        return False
    post.settle(errand, post.deliver(errand), now())
    return True


# ---- helpers of one step ---------------------------------------------------------------------------------------------


def _desk(connection: Connection, name: str, now_ms: int) -> Desk:
    person = people.named(connection, name) or Person(name, "", frozenset())
    waits = messages.waiting(connection, name)
    open_ = messages.open_of(connection, name)
    told = messages.told_of(connection, name, {notice.flag for notice in waits if notice.flag is not None})
    engaged = {notice.flag for message in open_ for notice in messages.carried(connection, message.id)}
    return Desk(
        person=person,
        waiting=waits,
        open=open_,
        engaged=frozenset(flag for flag in engaged if flag is not None),
        told=told,
        targets=messages.rewritable(connection, {notice.message for notice in told if notice.message is not None}),
        disturbed_at=messages.disturbed_at(connection, name, now_ms - desk.HOUR_MS),
        held=messages.holds(connection),
    )


def _text(facts: Sequence[notices.Facts], words: Wording) -> Text:
    return texts.compose(facts[0], words) if len(facts) == 1 else texts.bundle(facts, words)


def _where(error: BaseException) -> str:
    """The line that threw; the exception's own words may quote an address or a household."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
