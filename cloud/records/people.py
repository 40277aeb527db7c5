"""Whom we tell: people, what they are responsible for, and where they can be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, select, update

from cloud.days import DaySpan
from cloud.records.notice_schema import addresses, duties, people
from cloud.records.schema import calendar
from cloud.records.upserts import insert_into

EVERYWHERE: Final = "*"


class Role(StrEnum):
    """What somebody is responsible for."""

    NOC = "noc"
    TECHNICIAN = "technician"
    SUPERVISOR = "supervisor"
    UPRS = "uprs"
    UPRS_HEAD = "uprs_head"
    DEPARTMENT = "dprkp"


@dataclass(frozen=True, slots=True)
class Duty:
    """A role, at one estate or everywhere."""

    role: Role
    scope: str = EVERYWHERE


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody can be reached; `id` 0 = not stored yet."""

    channel: str
    address: str = field(repr=False)
    id: int = 0
    disabled_because: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether it may be tried."""
        return self.disabled_because is None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is told things. `person` is opaque and may appear in a chat; the name may not."""

    person: str
    name: str = field(repr=False)
    duties: frozenset[Duty]
    addresses: tuple[Address, ...] = ()
    """The one to try first comes first."""

    def serves(self, role: Role, estate: str) -> bool:
        """Whether they have this role for *estate*; one without an estate is everybody's with the role."""
        return any(duty.role == role and (not estate or duty.scope in (EVERYWHERE, estate)) for duty in self.duties)


def everybody(connection: Connection) -> list[Person]:
    """All who are active, by their opaque name."""
    own_duties: defaultdict[str, set[Duty]] = defaultdict(set)
    for row in connection.execute(select(duties)):
        own_duties[row.person].add(Duty(Role(row.role), row.scope))
    own_addresses: defaultdict[str, list[Address]] = defaultdict(list)
    query = select(addresses).where(addresses.c.active).order_by(addresses.c.rank, addresses.c.id)
    for row in connection.execute(query):
        own_addresses[row.person].append(Address(row.channel, row.address, row.id, row.disabled_because))
    return [
        Person(row.person, row.name, frozenset(own_duties[row.person]), tuple(own_addresses[row.person]))
        for row in connection.execute(select(people).where(people.c.active).order_by(people.c.person))
    ]


def named(connection: Connection, person: str) -> Person | None:
    """One of `everybody`."""
    return next((each for each in everybody(connection) if each.person == person), None)


def replace_all(connection: Connection, wanted: Iterable[Person]) -> None:
    """Make *wanted* everybody there is. Who is missing is told nothing more; a disabled address stays so (`enable`)."""
    for table in (people, addresses):
        connection.execute(update(table).values(active=False))
    connection.execute(duties.delete())
    for person in wanted:
        _put(connection, person)


def closed_days(connection: Connection) -> dict[str, list[DaySpan]]:
    """Days on which offices are closed, by estate; `*` = all of them.

    Rows of kind `lebaran` are widened for the absence clock: the days on which nobody works are `holiday` rows too.
    """
    query = select(calendar).where(calendar.c.kind.in_(["holiday", "closure"])).order_by(calendar.c.id)
    closed: defaultdict[str, list[DaySpan]] = defaultdict(list)
    for row in connection.execute(query):
        closed[row.scope].append((row.from_day, row.to_day))
    return dict(closed)


def disable(connection: Connection, address: int, *, because: str, now_ms: int) -> bool:
    """Never use *address* again until somebody names it anew; whether that is news."""
    statement = (
        update(addresses)
        .where(addresses.c.id == address, addresses.c.disabled_ms.is_(None))
        .values(disabled_ms=now_ms, disabled_because=because)
    )
    return connection.execute(statement).rowcount == 1


def enable(connection: Connection, address: int) -> None:
    """Try *address* again."""
    connection.execute(
        update(addresses).where(addresses.c.id == address).values(disabled_ms=None, disabled_because=None)
    )


def move(connection: Connection, address: int, *, to: str) -> None:
    """An address has another name from now on, as when a group becomes a larger kind of group."""
    connection.execute(update(addresses).where(addresses.c.id == address).values(address=to))


def _put(connection: Connection, person: Person) -> None:
    row = {"person": person.person, "name": person.name, "active": True}
    insert = insert_into(connection, people)
    connection.execute(insert.on_conflict_do_update(index_elements=["person"], set_=row), row)
    for duty in sorted(person.duties, key=lambda each: (each.role, each.scope)):
        connection.execute(duties.insert().values(person=person.person, role=duty.role.value, scope=duty.scope))
    for rank, address in enumerate(person.addresses):
        _put_address(connection, person.person, address, rank)


def _put_address(connection: Connection, person: str, address: Address, rank: int) -> None:
    anew = {"rank": rank, "active": True}
    row = {"person": person, "channel": address.channel, "address": address.address, **anew}
    insert = insert_into(connection, addresses)
    connection.execute(insert.on_conflict_do_update(index_elements=["person", "channel", "address"], set_=anew), row)
