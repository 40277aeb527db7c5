"""What the path rules look at: machines and what was last heard of them, since when anybody listened. Plain values.

Silence counts only while ingest listened; an instant is when something arrived, by the server's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cloud import days
from cloud.alerts.findings import Standing, Stands
from cloud.alerts.kinds import Kind
from cloud.alerts.policy import Policy
from cloud.records.signs import Signs
from contract.messages import Heartbeat

MISSED_BEATS: Final = 3
"""Nobody is called silent before so many heartbeats are missing, whatever the policy's minutes."""
BREAK_MS: Final = 60_000
"""Nobody has listened for longer than this: what is silent now is not known."""


@dataclass(frozen=True, slots=True)
class Listening:
    """From when to when some ingester heard the broker without a break."""

    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Failing:
    """Messages that reach nobody: since when, how many wait, by which channels."""

    since_ms: int
    waiting: int
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What only the living system knows. A replay has none of it: there, ingest counts as up throughout."""

    watching_since_ms: int | None = None
    """Since when the canary has been sung; None = nobody sings."""
    canary_ms: int | None = None
    """When it was last heard through the broker."""
    crl_expires_ms: int | None = None
    """When the broker's revocation list expires; None = not known."""
    failing: Failing | None = None
    slack_ms: int = 0
    """How much later than usual anything may be noted without meaning anything: for a clock that runs fast (demo)."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A self-test, and whether it went well."""

    at_ms: int
    is_good: bool


@dataclass(frozen=True, slots=True)
class Reads:
    """When a machine last read a card, and how many it should have read since while it was able to."""

    last_ms: int | None
    """None = never, as far as anybody remembers."""
    expected: float


NO_SIGNS: Final = Signs()


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that stands at an estate, and the last that was heard of it."""

    device: str
    estate: str
    installed_ms: int
    heard_ms: int | None = None
    """When a sign of life last arrived; None = never."""
    heartbeat: Heartbeat | None = None
    """The last one."""
    beat_ms: int | None = None
    """When that heartbeat arrived; a birth after it is a sign of life too."""
    gone_ms: int | None = None
    """When it said goodbye or its will arrived, if it has not been born again since."""
    signs: Signs = NO_SIGNS
    tried: Tried | None = None
    """Its last self-test, if it reports them."""
    reads: Reads | None = None
    """Only of a machine that has read nothing for a while."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a path rule may look at."""

    now_ms: int
    machines: tuple[Machine, ...]
    """Those that are installed now, by name."""
    listening: Listening
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """By estate; that of the city is under the empty name."""
    standing: Standing = field(default_factory=dict)
    slack_ms: int = 0
    """How much later than usual ingest may note that it listens."""

    def policy(self, estate: str = "") -> Policy:
        """The policy in force for *estate*."""
        return self.policies.get(estate) or self.policies.get("") or Policy()

    @property
    def is_listening(self) -> bool:
        """Whether somebody hears the machines now."""
        return self.listening.until_ms >= self.now_ms - BREAK_MS - self.slack_ms

    def by_estate(self) -> dict[str, list[Machine]]:
        """The machines of each estate."""
        found: dict[str, list[Machine]] = {}
        for machine in self.machines:
            found.setdefault(machine.estate, []).append(machine)
        return found

    def stands(self, kind: Kind, subject: str) -> Stands | None:
        """The flag of this kind and subject, if one stands."""
        return self.standing.get((kind, subject))

    # ---- silence -----------------------------------------------------------------------------------------------------

    def fell_ms(self, machine: Machine) -> int:
        """Since when it is not heard, as far as anybody listened."""
        heard_ms = machine.heard_ms if machine.heard_ms is not None else machine.installed_ms
        return max(heard_ms, machine.installed_ms, self.listening.since_ms)

    def silent_ms(self, machine: Machine) -> int:
        """For how long it has not been heard while somebody listened; negative under a clock that was set back."""
        return min(self.now_ms, self.listening.until_ms) - self.fell_ms(machine)

    def patience_ms(self, estate: str) -> int:
        """After so long a silence a machine of *estate* is offline."""
        device = self.policy(estate).device
        return max(device.offline_min * days.MINUTE, MISSED_BEATS * device.heartbeat_s * 1000)

    def doubt_ms(self, estate: str) -> int:
        """After so long a silence a machine of *estate* is shown as offline: no flag yet, but no life either."""
        device = self.policy(estate).device
        return max(device.stale_dashboard_min * days.MINUTE, MISSED_BEATS * device.heartbeat_s * 1000)

    def is_doubtful(self, machine: Machine) -> bool:
        """Whether its silence would be shown."""
        return self.silent_ms(machine) > self.doubt_ms(machine.estate)

    def is_overdue(self, machine: Machine) -> bool:
        """Whether its silence has outlasted all patience."""
        return self.silent_ms(machine) > self.patience_ms(machine.estate)

    def is_fresh(self, machine: Machine) -> bool:
        """Whether what it last said may be taken as how it is now."""
        return machine.heartbeat is not None and self.is_listening and not self.is_doubtful(machine)
