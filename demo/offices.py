"""Who is told in the demo: one post for each office, read on this terminal. Invented, like everybody here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cloud.records.people import Address, Duty, Person, Role
from demo.city import Estate

CHANNEL: Final = "console"
_EVERYWHERE: Final = (
    ("noc", "NOC", Role.NOC),
    ("teknisi", "Teknisi", Role.TECHNICIAN),
    ("penyelia", "Penyelia", Role.SUPERVISOR),
    ("kepala-uprs", "Kepala UPRS", Role.UPRS_HEAD),
)


def people(estates: Iterable[Estate]) -> list[Person]:
    """The posts of the whole city, and the UPRS of each estate."""
    city = [_post(person, name, Duty(role)) for person, name, role in _EVERYWHERE]
    return city + [
        _post(f"uprs-{each.code.lower()}", f"UPRS {each.code}", Duty(Role.UPRS, each.code)) for each in estates
    ]


def _post(person: str, name: str, duty: Duty) -> Person:
    return Person(person, name, frozenset({duty}), (Address(CHANNEL, name),))
