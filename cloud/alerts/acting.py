"""What people do about flags, each in one transaction: the flag, its event, and what others are to hear of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cloud.alerts import stored, telling, writing
from cloud.alerts.dispatch import system
from cloud.alerts.flags import chain, handling
from cloud.alerts.flags.flag import Flag, Outcome
from cloud.alerts.flags.hushes import Silence
from cloud.alerts.kinds import NATURE, About
from cloud.days import HOUR
from cloud.records import Connection, Records, disclosures, flags, notices, people, silences
from cloud.records.disclosures import Disclosure
from cloud.records.flags import FlagRow
from cloud.records.silences import SilenceRow

ACKNOWLEDGED: Final = "acknowledged"
ASSIGNED: Final = "assigned"
DECIDED: Final = "decided"
RELEASED: Final = "gate_released"
DISMISSED: Final = "gate_dismissed"
SILENCED: Final = "silenced"


class UnknownFlag(LookupError):
    """No flag has this number."""


class NothingHeld(LookupError):
    """The mass gate holds nothing at this estate: there is nothing to release or to dismiss."""


class UnknownPerson(LookupError):
    """Nobody of this name is told anything."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who acts, and when."""

    records: Records
    by: str
    now_ms: int

    def acknowledge(self, number: str, *, expiry_h: int) -> Flag:
        """Take flag *number* for *expiry_h* hours. Raises `UnknownFlag`, `NotNow`."""
        until_ms = self.now_ms + expiry_h * HOUR

        def take(flag: Flag) -> Flag:
            return handling.acknowledge(flag, self.by, until_ms=until_ms)

        return self._with(number, take, ACKNOWLEDGED, until_ms=until_ms)

    def assign(self, number: str, *, to: str, expiry_h: int) -> Flag:
        """Give flag *number* to *to*; for *expiry_h* hours nobody further is told. Raises `UnknownFlag`, `NotNow`."""
        until_ms = self.now_ms + expiry_h * HOUR
        return self._with(number, lambda flag: handling.assign(flag, to), ASSIGNED, until_ms=until_ms)

    def decide(self, number: str, outcome: Outcome) -> Flag:
        """Decide flag *number*. Raises `UnknownFlag`, `NotNow`."""
        return self._with(number, lambda flag: handling.decide(flag, outcome, now_ms=self.now_ms), DECIDED)

    def release(self, estate: str, reason: str) -> int:
        """Let through what the mass gate holds at *estate*; how many flags. Raises `NothingHeld`."""
        return self._gate(estate, handling.release, RELEASED, reason)

    def dismiss(self, estate: str, reason: str) -> int:
        """Keep from opening what the mass gate holds at *estate*; how many flags. Raises `NothingHeld`."""
        return self._gate(estate, handling.dismiss, DISMISSED, reason)

    def silence(self, wanted: Silence) -> None:
        """Have nobody told of what *wanted* covers. Raises `BadData` without end, reason or author."""
        row = SilenceRow(
            wanted.kind, wanted.estate, wanted.subject, wanted.from_ms, wanted.until_ms, wanted.reason, wanted.author
        )
        until = {"kind": row.kind, "estate": row.estate, "subject": row.subject, "until_ms": row.until_ms}

        def write(connection: Connection) -> None:
            flags.lock(connection)
            silences.add(connection, row)
            detail = {**until, "from_ms": row.from_ms, "reason": row.reason}
            writing.note(connection, [chain.Draft(None, self.now_ms, SILENCED, self.by, detail)])

        self.records.write(write)

    def test(self, person: str) -> None:
        """Have *person* sent a message that tests how they can be reached. Raises `UnknownPerson`."""

        def write(connection: Connection) -> None:
            known = people.named(connection, person)
            if known is None:
                raise UnknownPerson(f"Tidak ada penerima bernama {person}.")
            notices.add(connection, [system.test_message(known, now_ms=self.now_ms)], now_ms=self.now_ms)

        self.records.write(write)

    def look(self, number: str) -> tuple[Flag, list[chain.Event]]:
        """Flag *number* and what happened to it; that somebody looked is noted if it is about a household."""

        def read(connection: Connection) -> tuple[Flag, list[chain.Event]]:
            flag = _named(connection, number)
            if NATURE[flag.kind].is_about_people:
                whose = flag.subject if NATURE[flag.kind].about is About.UNIT else ""
                disclosures.note(connection, Disclosure(self.now_ms, self.by, "flag", whose, number))
            return flag, [stored.event(row) for row in flags.events_of(connection, flag.flag_id)]

        return self.records.write(read)

    def _with(self, number: str, change: Callable[[Flag], Flag], what: str, *, until_ms: int | None = None) -> Flag:
        def write(connection: Connection) -> Flag:
            flags.lock(connection)
            flag = change(_named(connection, number))
            self._put(connection, flag, what)
            if until_ms is not None:
                telling.put_in_hand(connection, number, by=flag.owner, until_ms=until_ms, now_ms=self.now_ms)
            return flag

        return self.records.write(write)

    def _gate(self, estate: str, change: Callable[[Flag], Flag], what: str, reason: str) -> int:
        def write(connection: Connection) -> int:
            flags.lock(connection)
            held = [stored.flag(row) for row in flags.held_at(connection, estate)]
            if not held:
                raise NothingHeld(f"Gerbang massal tidak menahan apa pun di {estate}.")
            for flag in held:
                self._put(connection, change(flag), what, reason)
            return len(held)

        return self.records.write(write)

    def _put(self, connection: Connection, flag: Flag, what: str, reason: str = "") -> None:
        flags.replace(connection, [stored.flag_row(flag)])
        detail = {
            "owner": flag.owner,
            "outcome": flag.outcome,
            "until_ms": flag.acknowledged_until_ms,
            "reason": reason,
        }
        said = {key: value for key, value in detail.items() if value}
        writing.note(connection, [chain.Draft(flag.flag_id, self.now_ms, what, self.by, said)])


def opened(connection: Connection, *, kind: str = "", estate: str = "", with_ended: bool = False) -> list[Flag]:
    """The opened flags, newest first. Whoever shows them shows no household: that is `Desk.look`, which is noted."""
    rows = flags.listed(connection, kind=kind, estate=estate, with_ended=with_ended)
    return [stored.flag(row) for row in rows]


def verified(connection: Connection) -> tuple[chain.Broken | None, chain.Link]:
    """Where the chain of events is broken, if it is, and where it ends: a head to note down elsewhere."""
    broken = chain.broken(stored.event(row) for row in flags.all_events(connection))
    return broken, chain.Link(*flags.head(connection))


def _named(connection: Connection, number: str) -> Flag:
    row: FlagRow | None = flags.by_number(connection, number)
    if row is None:
        raise UnknownFlag(f"Tidak ada flag bernomor {number}.")
    return stored.flag(row)
