"""Whom a flag concerns: which roles are told at once, and which after how long. A table, and who has the roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from cloud.alerts.kinds import NATURE, Group, Kind
from cloud.alerts.policy import Escalate
from cloud.days.jakarta import MINUTE
from cloud.records.people import Person, Role

Delay = Literal["technician_min", "supervisor_min", "head_min"]


@dataclass(frozen=True, slots=True)
class Rung:
    """A role, and the policy's number of minutes after the onset at which it is told; None = at the opening."""

    role: Role
    after: Delay | None = None

    def wait_ms(self, escalate: Escalate) -> int | None:
        """That number of minutes, in ms."""
        return None if self.after is None else int(getattr(escalate, self.after)) * MINUTE


_OUTAGE: Final = (
    Rung(Role.NOC),
    Rung(Role.TECHNICIAN, "technician_min"),
    Rung(Role.SUPERVISOR, "supervisor_min"),
    Rung(Role.UPRS_HEAD, "head_min"),
)
_WORKSHOP: Final = (Rung(Role.NOC), Rung(Role.TECHNICIAN, "technician_min"))
_CENTRE: Final = (Rung(Role.NOC), Rung(Role.SUPERVISOR, "technician_min"))
_OFFICE: Final = (Rung(Role.UPRS),)

LADDER: Final[Mapping[Kind, tuple[Rung, ...]]] = {
    Kind.INGEST_DOWN: _CENTRE,
    Kind.WIDE_OUTAGE: _CENTRE,
    Kind.ESTATE_OFFLINE: _OUTAGE,
    Kind.DEVICE_OFFLINE: _OUTAGE,
    Kind.DEVICE_FLAPPING: _WORKSHOP,
    Kind.CLOCK_SKEW: _WORKSHOP,
    Kind.READER_FAULT: _OUTAGE,
    Kind.STORAGE_LOW: _OUTAGE,
    Kind.QUEUE_STUCK: _WORKSHOP,
    Kind.WATERMARK_STUCK: (*_WORKSHOP, Rung(Role.UPRS)),
    Kind.DEVICE_UNKNOWN: (Rung(Role.NOC),),
    Kind.CRL_EXPIRING: (Rung(Role.NOC), Rung(Role.SUPERVISOR, "supervisor_min")),
    Kind.NOTIFY_FAILING: _CENTRE,
    Kind.LOW_REGISTRATION: _OFFICE,
    Kind.UNIT_UNREGISTERED: _OFFICE,
    Kind.UNIT_NO_TAPS: _OFFICE,
    Kind.HOLDER_ABSENT: _OFFICE,
    Kind.ESTATE_TAP_DROP: (Rung(Role.NOC), Rung(Role.UPRS), Rung(Role.UPRS_HEAD)),
    Kind.CARD_TWO_ESTATES: _OFFICE,
    Kind.FOREIGN_ESTATE: _OFFICE,
    Kind.UNKNOWN_CARD: (Rung(Role.NOC), Rung(Role.UPRS)),
    Kind.REVOKED_CARD: _OFFICE,
    Kind.PROXY_PATTERN: _OFFICE,
}
"""Nobody is above the UPRS for a flag about people: what follows from one is decided there, and never by a ladder."""

CASE: Final = (Rung(Role.UPRS), Rung(Role.UPRS_HEAD))


def ladder(kind: Kind, *, is_case: bool = False) -> tuple[Rung, ...]:
    """Who is told of a flag, the first ones first. What people do is never told to technicians."""
    rungs = CASE if is_case else LADDER[kind]
    if NATURE[kind].group is Group.PATH:
        return rungs
    return tuple(rung for rung in rungs if rung.role is not Role.TECHNICIAN)


def holders(people: Iterable[Person], role: Role, estate: str) -> list[Person]:
    """Who has *role* for *estate*."""
    return [person for person in people if person.serves(role, estate)]
