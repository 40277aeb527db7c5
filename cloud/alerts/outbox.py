"""The transactions around a call: what is taken up, and what its outcome means for everything it carried.

An attempt is written in the transaction that takes a message up; whatever happens before its outcome is written is an
unknown outcome. Each person is dealt with by one sender at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cloud.alerts import phrasing
from cloud.alerts.channels import Taken, Traits, Trouble, Undelivered
from cloud.alerts.channels.receipts import Receipt
from cloud.alerts.dispatch import desk, retrying, system
from cloud.alerts.dispatch.desk import Desk, Drop, Lapsed, Release, Rest, Retry, Send
from cloud.alerts.dispatch.planning import ENDS
from cloud.alerts.dispatch.retrying import Again, Done, Elsewhere, Verdict
from cloud.alerts.policy import Notify
from cloud.records import Connection, flags, messages, notices, people
from cloud.records.messages import Message, Reported
from cloud.records.notices import Notice, State
from cloud.records.people import Address, Person

BROKEN_MS = retrying.BROKEN_S * 1000
DIED = "its sender died during the call: it may have arrived"
BOUNCED = "accepted by the channel, which then reported that it could not be delivered"


@dataclass(frozen=True, slots=True)
class Errand:
    """A call to be made: its attempt is written down, its lease runs."""

    attempt: int
    message: Message
    address: Address
    notices: Sequence[Notice] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox as one sender sees it. Every method is one step of a transaction."""

    holder: str
    traits: Mapping[str, Traits]
    """The channels there are."""
    notify: Notify = field(default_factory=Notify)
    console: str = ""
    """Where flags are looked at: the link in every message."""

    def take(self, connection: Connection, now_ms: int) -> Errand | None:
        """Take up the next thing to be sent to anybody; None when there is nothing."""
        for name in messages.with_work(connection, now_ms):
            if messages.lock(connection, name):
                errand = self._serve(connection, name, now_ms)
                if errand is not None:
                    return errand
        return None

    def settle(self, connection: Connection, errand: Errand, result: Taken | Undelivered, now_ms: int) -> None:
        """Write down what became of *errand*, and what follows."""
        messages.lock_surely(connection, errand.message.person)
        verdict = self._judged(errand.message, result, now_ms)
        if not _noted(connection, errand.attempt, result, now_ms):  # our lease ran out: another sender has decided
            return
        if isinstance(result, Taken):
            messages.unhold(connection, errand.address.channel)
        elif result.moved_to is not None:
            people.move(connection, errand.address.id, to=result.moved_to)
        words = "" if isinstance(result, Taken) else str(result)
        _carry_out(connection, errand.message, errand.address, verdict, words=words, now_ms=now_ms)

    def receive(self, connection: Connection, receipt: Receipt, now_ms: int) -> None:
        """What a channel reports of a message that it had accepted."""
        about = messages.reported(connection, receipt.reference)
        if about is None:
            return
        messages.lock_surely(connection, about.person)
        messages.note_receipt(connection, about, receipt.status, now_ms=now_ms)
        if receipt.is_delivered:
            messages.mark_delivered(connection, about.message)
        elif receipt.trouble is not None and messages.reopen(connection, about.message):
            _bounce(connection, about, receipt.trouble, now_ms)

    # ---- what is next for one person ---------------------------------------------------------------------------------

    def _serve(self, connection: Connection, name: str, now_ms: int) -> Errand | None:
        """Do what needs no call, until something is to be sent or nothing is left."""
        while True:
            lies = read_desk(connection, name, now_ms)
            step = desk.next_step(lies, now_ms=now_ms, notify=self.notify, traits=self.traits, fits=self._fits)
            match step:
                case Rest():
                    return None
                case Retry():
                    carried = messages.carried(connection, step.message.id)
                    return self._started(connection, step.message, step.address, carried, now_ms=now_ms)
                case Send():
                    errand = self._bound(connection, step, now_ms)
                    if errand is not None:
                        return errand
                case Lapsed():
                    self._lapse(connection, step.message, lies.person, now_ms)
                case Release():
                    shun = step.message.address if step.shuns else None
                    messages.release(connection, step.message.id, shun=shun, now_ms=now_ms)
                case Drop():
                    state = State.MOOT if step.is_moot else State.UNREACHED
                    messages.give_up(connection, step.ids, state, because=step.because, now_ms=now_ms)

    def _bound(self, connection: Connection, step: Send, now_ms: int) -> Errand | None:
        """A new message; what cannot be put into words is set aside for an hour, the rest goes."""
        legible = [notice for notice in step.notices if phrasing.is_legible(notice)]
        aside = [notice.id for notice in step.notices if notice not in legible]
        if aside:
            messages.set_aside(connection, aside, until_ms=now_ms + BROKEN_MS)
        if not legible:
            return None
        message = messages.bind(connection, legible, address=step.address.id, amends=step.amends, now_ms=now_ms)
        return self._started(connection, message, step.address, legible, now_ms=now_ms)

    def _started(
        self, connection: Connection, message: Message, address: Address, carried: Sequence[Notice], *, now_ms: int
    ) -> Errand:
        until_ms = now_ms + self.notify.lease_s * 1000
        attempt = messages.start(connection, message, holder=self.holder, now_ms=now_ms, until_ms=until_ms)
        return Errand(attempt, message, address, carried)

    def _lapse(self, connection: Connection, message: Message, person: Person, now_ms: int) -> None:
        """A call of which nobody has said how it ended."""
        if message.running is not None:
            unknown = Undelivered(Trouble.UNKNOWN, DIED)
            _noted(connection, message.running, unknown, now_ms)
        verdict = retrying.after_silence(message, self.notify, now_ms=now_ms)
        address = next((each for each in person.addresses if each.id == message.address), None)
        _carry_out(connection, message, address, verdict, words=DIED, now_ms=now_ms)

    def _judged(self, message: Message, result: Taken | Undelivered, now_ms: int) -> Verdict:
        if isinstance(result, Taken):
            return retrying.after_success(result)
        return retrying.after_trouble(message, result, self.notify, now_ms=now_ms)

    def _fits(self, together: Sequence[Notice], channel: str) -> int:
        return phrasing.fits(together, self.traits[channel], console=self.console)


def read_desk(connection: Connection, name: str, now_ms: int) -> Desk:
    """All that decides what comes next for one person."""
    person = people.named(connection, name) or Person(name, "", frozenset())
    unsure = flags.recovering(connection)  # what may just be over is not told to begin, or to go on
    waits = [each for each in messages.waiting(connection, name) if each.said in ENDS or each.flag not in unsure]
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


# ---- what follows from an outcome ------------------------------------------------------------------------------------


def _noted(connection: Connection, attempt: int, result: Taken | Undelivered, now_ms: int) -> bool:
    """Write down how *attempt* ended; False when that had been done."""
    if isinstance(result, Taken):
        outcome, words, reference = "delivered" if result.is_delivered else "accepted", "", result.reference
    else:
        outcome, words, reference = result.trouble.value, str(result), None
    return messages.end(connection, attempt, outcome, explanation=words, reference=reference, now_ms=now_ms)


def _carry_out(
    connection: Connection, message: Message, address: Address | None, verdict: Verdict, *, words: str, now_ms: int
) -> None:
    match verdict:
        case Done():
            messages.close(connection, message.id, verdict.fate, verdict.state, now_ms=now_ms)
        case Again():
            later = verdict.next_ms
            messages.again(connection, message.id, next_ms=later, tries=verdict.tries, unknowns=verdict.unknowns)
        case Elsewhere():
            shun = message.address if verdict.shuns else None
            messages.release(connection, message.id, shun=shun, now_ms=now_ms)
            if address is not None and verdict.holds_until_ms is not None:
                until_ms = verdict.holds_until_ms
                messages.hold(connection, address.channel, reason=words, now_ms=now_ms, until_ms=until_ms)
            if address is not None and verdict.disables:
                _disable(connection, message.person, address, words=words, now_ms=now_ms)


def _disable(connection: Connection, person: str, address: Address, *, words: str, now_ms: int) -> None:
    """Never use *address* again; its owner and the NOC are told by what else there is."""
    if people.disable(connection, address.id, because=words, now_ms=now_ms):
        drafts = system.address_lost(person, address, people.everybody(connection), now_ms=now_ms)
        notices.add(connection, drafts, now_ms=now_ms)


def _bounce(connection: Connection, about: Reported, trouble: Trouble, now_ms: int) -> None:
    """Accepted, and then it did not arrive: it goes another way."""
    messages.release(connection, about.message, shun=about.address, now_ms=now_ms)
    person = people.named(connection, about.person)
    address = next((each for each in person.addresses if each.id == about.address), None) if person else None
    if address is not None and trouble is Trouble.ADDRESS:
        _disable(connection, about.person, address, words=BOUNCED, now_ms=now_ms)
