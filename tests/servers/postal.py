"""People, notices and channels for the tests of telling and sending: written by hand, nothing patched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud.alerts.channels import Outgoing, Taken, Traits, Undelivered
from cloud.alerts.sending import Post, send_one
from cloud.records import Records, notices, people
from cloud.records.notices import Draft, Notice
from cloud.records.people import Address, Duty, Person, Role

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = 1_778_562_000_000  # Tuesday, 12 Mei 2026 12.00 WIB


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Scripted:
    """A channel that answers as it is told; when the script is over it takes everything."""

    script: list[Taken | Undelivered | Exception | Crash] = field(default_factory=list)
    traits: Traits = field(default_factory=Traits)
    sent: list[Outgoing] = field(default_factory=list)

    def send(self, message: Outgoing) -> Taken:
        self.sent.append(message)
        answer = self.script.pop(0) if self.script else Taken(f"ref-{len(self.sent)}", is_delivered=True)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        """Nothing is held."""

    @property
    def headlines(self) -> list[str]:
        return [message.text.headline for message in self.sent]


def person(name: str, role: Role = Role.NOC, *addresses: str, scope: str = "*") -> Person:
    """Somebody with addresses such as `telegram:17`."""
    parts = [address.partition(":") for address in addresses or (f"chat:{name}",)]
    return Person(name, f"Nama {name}", frozenset({Duty(role, scope)}), tuple(Address(c, a) for c, _, a in parts))


def draft(to: str, flag: str | None = "FLG-26-00001", said: str = "opened", **more: Any) -> Draft:
    due_ms = more.pop("due_ms", NOON)
    facts = {
        "kind": "DEVICE_OFFLINE",
        "what": said,
        "flag": flag,
        "severity": "P2",
        "estate": "PSK",
        "estate_name": "Pesakih",
        "machines": 1,
        "device": "PSK-01",
        "since_ms": NOON - 20 * MINUTE,
        "at_ms": NOON,
        "evidence": {},
    }
    values = {"key": f"{flag}:{said}:{to}", "person": to, "flag": flag, "said": said, "severity": "P2"}
    return Draft(**(values | {"due_ms": due_ms, "facts": facts} | more))


@dataclass
class Rig:
    """An outbox, its channels, and a clock that only the test moves."""

    records: Records
    channels: dict[str, Scripted] = field(default_factory=lambda: {"chat": Scripted()})
    now_ms: int = NOON
    holder: str = "one"

    @property
    def chat(self) -> Scripted:
        return self.channels["chat"]

    def post(self, **more: Any) -> Post:
        return Post(self.records, self.channels, self.holder, **more)

    def know(self, *everybody: Person) -> None:
        self.records.write(lambda connection: people.replace_all(connection, everybody))

    def say(self, *drafts: Draft) -> None:
        self.records.write(lambda connection: notices.add(connection, drafts, now_ms=self.now_ms))

    def run(self, **more: Any) -> int:
        """Send until nothing is due; how many calls were made."""
        count = 0
        while send_one(self.post(**more), lambda: self.now_ms):
            count += 1
            assert count < 200, "this never ends"
        return count

    def later(self, ms: int) -> None:
        self.now_ms += ms

    def states(self) -> list[tuple[str, str]]:
        return [(each.key, each.state.value) for each in self.notices()]

    def notices(self) -> Sequence[Notice]:
        return self.records.read(lambda connection: notices.since(connection, 0))

    def failing(self) -> notices.Failing:
        return self.records.read(lambda connection: notices.failing(connection, self.now_ms))
