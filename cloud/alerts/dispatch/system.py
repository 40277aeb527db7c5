"""What is said about telling itself: an address that has died, a test."""

from __future__ import annotations

from collections.abc import Sequence

from cloud.alerts.dispatch import audience
from cloud.alerts.kinds import Severity
from cloud.records.notices import Draft
from cloud.records.people import Address, Person, Role


def address_lost(person: str, address: Address, everybody: Sequence[Person], *, now_ms: int) -> list[Draft]:
    """For whom the address was, by another one of theirs, and for the NOC."""
    own = [each for each in everybody if each.person == person and any(other.is_usable for other in each.addresses)]
    readers = {each.person: each for each in (*own, *audience.holders(everybody, Role.NOC, ""))}
    facts = {"what": "address_lost", "person": person, "channel": address.channel, "at_ms": now_ms}
    return [
        Draft(
            key=f"address:{address.id}:{now_ms}:{reader}",
            person=reader,
            flag=None,
            said="address_lost",
            severity=Severity.P2.value,
            due_ms=now_ms,
            facts=facts,
        )
        for reader in readers
    ]


def test_message(person: Person, *, now_ms: int) -> Draft:
    """A test of how *person* can be reached, at any hour."""
    return Draft(
        key=f"test:{now_ms}:{person.person}",
        person=person.person,
        flag=None,
        said="test",
        severity=Severity.P1.value,
        due_ms=now_ms,
        facts={"what": "test", "person": person.person, "severity": Severity.P1.value, "at_ms": now_ms},
    )
