"""Who is told, as a file that the NOC keeps: TOML, read as a whole or refused with every fault named."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cloud.alerts.channels import NAMES
from cloud.records.people import EVERYWHERE, Address, Duty, Person, Role

EXAMPLE: Final = """
[[person]]
person = "tek-03"                      # seen in chats: never a name
name = "Budi Santoso"                  # seen nowhere but here
duties = ["technician:PSK", "noc"]     # noc, technician, supervisor, uprs, uprs_head, dprkp; of one estate or of all
addresses = ["whatsapp:62811000111", "smtp:tek-03@example.org"]  # the first one is tried first
"""


class BadRoster(ValueError):
    """The list of people cannot be used; the message names each entry and what is wrong with it."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    person: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
    name: Annotated[str, Field(min_length=1)]
    duties: Annotated[tuple[str, ...], Field(min_length=1)]
    addresses: Annotated[tuple[str, ...], Field(min_length=1)]

    @field_validator("duties")
    @classmethod
    def _known_roles(cls, duties: tuple[str, ...]) -> tuple[str, ...]:
        for duty in duties:
            Role(duty.partition(":")[0])  # its ValueError names the role
        return duties

    @field_validator("addresses")
    @classmethod
    def _known_channels(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            channel, _, rest = address.partition(":")
            if channel not in NAMES or not rest.strip():
                raise ValueError(f"an address must be CHANNEL:WHERE, its channel one of {', '.join(NAMES)}")
        return addresses

    def value(self) -> Person:
        """The person."""
        duties = (duty.partition(":") for duty in self.duties)
        addresses = (address.partition(":") for address in self.addresses)
        return Person(
            self.person,
            self.name,
            frozenset(Duty(Role(role), scope or EVERYWHERE) for role, _, scope in duties),
            tuple(Address(channel, rest.strip()) for channel, _, rest in addresses),
        )


class _Roster(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    person: tuple[_Entry, ...]


def parse(text: str, estates: Collection[str]) -> list[Person]:
    """The people of a TOML text, for these *estates*. Raises `BadRoster`; it quotes no name and no address."""
    try:
        people = [entry.value() for entry in _Roster.model_validate(tomllib.loads(text)).person]
    except tomllib.TOMLDecodeError as error:
        raise BadRoster(f"the list of people is no TOML: {error}") from None
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise BadRoster("; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in faults)) from None
    faults_ = [*_twice(people), *_nowhere(people, estates)]
    if faults_:
        raise BadRoster("; ".join(faults_))
    return people


def _twice(people: Collection[Person]) -> list[str]:
    counts = Counter(person.person for person in people)
    return [f"{name} stands there {count} times" for name, count in counts.items() if count > 1]


def _nowhere(people: Collection[Person], estates: Collection[str]) -> list[str]:
    known = {EVERYWHERE, *estates}
    scopes = [(person.person, duty.scope) for person in people for duty in person.duties]
    return [f"{person}: there is no estate {scope}" for person, scope in sorted(scopes) if scope not in known]
