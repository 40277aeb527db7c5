"""Rule 2: what has arrived from one machine, and how far its record is complete."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bench.truth.recount.calendar import MINUTE, day_of, instant
from bench.truth.recount.reading import Fact

AHEAD: Final = 5 * MINUTE
"""A tap further in the future than this waits until its time has come."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap that arrived."""

    device: str
    at: int
    card: str
    doubt: int
    """By how many ms its clock may have been wrong; 0 under a trusted one."""

    @property
    def day(self) -> int:
        """The recorded day."""
        return day_of(self.at)

    @property
    def days(self) -> range:
        """Every day on which it may have been."""
        return range(day_of(self.at - self.doubt), day_of(self.at + self.doubt) + 1)


@dataclass(slots=True)
class Outbox:
    """What has arrived of one outbox: per seq the instant its record is dated."""

    dated: dict[int, int] = field(default_factory=dict)
    waiting: dict[int, Tap] = field(default_factory=dict)
    dropped: list[tuple[int, int]] = field(default_factory=list)
    closed_at: int | None = None

    def whole(self, lost: Callable[[int], bool]) -> int:
        """The last seq up to which all have arrived or are closed as lost."""
        seq = 0
        while True:
            while seq + 1 in self.dated or self._is_dropped(seq + 1):
                seq += 1
            around = self._around(seq)
            if around is None or not all_lost(lost, self.dated[around[0]], self.dated[around[1]]):
                return seq
            seq = around[1]

    def _is_dropped(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.dropped)

    def _around(self, seq: int) -> tuple[int, int] | None:
        """The last record up to *seq* that arrived and the first one after it."""
        before = max((known for known in self.dated if known <= seq), default=None)
        after = min((known for known in self.dated if known > seq), default=None)
        return None if before is None or after is None else (before, after)


def all_lost(lost: Callable[[int], bool], one: int, other: int) -> bool:
    """Whether every day from one instant to another was declared lost."""
    first, last = sorted((day_of(one), day_of(other)))
    return all(lost(number) for number in range(first, last + 1))


@dataclass(slots=True)
class Heard:
    """Everything of one machine that arrived by now."""

    device: str
    outboxes: dict[str, Outbox] = field(default_factory=dict)
    """In the order in which their first facts arrived."""
    named: dict[str, Outbox] = field(default_factory=dict)
    """Outboxes that events told of and no fact of which has arrived."""
    proofs: list[tuple[str, str, int, int]] = field(default_factory=list)
    """Outbox, boot, uptime in ms and last seq of each heartbeat and goodbye."""
    boots: dict[str, int] = field(default_factory=dict)
    """By boot: the least (arrived - uptime) of its heartbeats."""
    minutes: dict[int, int] = field(default_factory=dict)
    """By hour: the minutes of its records under a trusted clock, added up (not yet cut at 60)."""
    gone: list[tuple[int, int]] = field(default_factory=list)
    """First and last day named by each `records_dropped`."""
    taps: list[Tap] = field(default_factory=list)

    def hear(self, fact: Fact) -> set[int]:
        """Take one line in; the days whose minutes it may change. A line that came before changes nothing."""
        body = fact.body
        if fact.kind == "status" and body["reason"] != "goodbye":
            return set()
        name = body.get("outbox", "")
        if fact.kind in ("heartbeat", "status"):
            self._outbox(name)
            self._proof(fact, name)
        elif body["seq"] not in self._outbox(name).dated and body["seq"] not in self._outbox(name).waiting:
            return self._record(fact, self._outbox(name))
        return set()

    def settle(self, now: int, stood: Callable[[int], bool]) -> list[Tap]:
        """Taps that waited and wait no longer: their time has come, and the machine stood somewhere then."""
        ready: list[Tap] = []
        for outbox in self.outboxes.values():
            for seq, tap in list(outbox.waiting.items()):
                if tap.at <= now + AHEAD and stood(tap.at):
                    outbox.dated[seq] = tap.at
                    del outbox.waiting[seq]
                    ready.append(tap)
        self.taps += ready
        return ready

    def _outbox(self, name: str) -> Outbox:
        """An outbox a fact of which arrives: only now it takes its place in the order."""
        if name not in self.outboxes:
            self.outboxes[name] = self.named.pop(name, Outbox())
        return self.outboxes[name]

    def _named(self, detail: dict[str, Any]) -> Outbox:
        """The outbox an event tells of; nothing of it need have arrived yet."""
        name = detail.get("outbox", "")
        return self.outboxes.get(name) or self.named.setdefault(name, Outbox())

    def _proof(self, fact: Fact, name: str) -> None:
        body = fact.body
        uptime = body["uptime_s"] * 1000
        if fact.kind == "heartbeat":
            base = fact.arrived - uptime
            self.boots[body["boot"]] = min(base, self.boots.get(body["boot"], base))
        self.proofs.append((name, body["boot"], uptime, body["last_seq"]))

    def _record(self, fact: Fact, outbox: Outbox) -> set[int]:
        body, seq = fact.body, fact.body["seq"]
        if fact.kind == "tap":
            doubt = body["uncertainty_s"] * 1000 if body.get("clock", "trusted") == "untrusted" else 0
            outbox.waiting[seq] = Tap(self.device, instant(body["at"]), body["card"], doubt)
        elif fact.kind == "hours":
            hour = outbox.dated[seq] = instant(body["hour"])
            if body.get("clock", "trusted") == "trusted":
                self.minutes[hour] = self.minutes.get(hour, 0) + body["able_min"]
            return {day_of(hour)}
        else:
            outbox.dated[seq] = instant(body["at"])
            return self._event(body["event"], body.get("detail") or {})
        return set()

    def _event(self, event: str, detail: dict[str, Any]) -> set[int]:
        if event == "records_dropped":
            self._named(detail).dropped.append((detail["from_seq"], detail["to_seq"]))
            first, last = day_of(instant(detail["from"])), day_of(instant(detail["to"]))
            self.gone.append((first, last))
            return set(range(first, last + 1))
        if event == "outbox_closed":
            self._named(detail).closed_at = detail["last_seq"]
        return set()

    def complete(self, lost: Callable[[int], bool]) -> int | None:
        """Up to which instant nothing of it is missing. *lost*: whether a day of it was declared lost."""
        best: int | None = None
        names = list(self.outboxes)
        for number, name in enumerate(names):
            whole = self.outboxes[name].whole(lost)
            proven = self._proven(name, whole)
            if proven is not None:
                best = proven if best is None else max(best, proven)
            if number + 1 < len(names) and not self._is_over(name, whole, proven, names[number + 1], lost):
                break
        return best

    def _proven(self, outbox: str, whole: int) -> int | None:
        makings = [
            self.boots[boot] + uptime
            for name, boot, uptime, last_seq in self.proofs
            if name == outbox and last_seq <= whole and boot in self.boots
        ]
        return max(makings, default=None)

    def _is_over(self, name: str, whole: int, proven: int | None, following: str, lost: Callable[[int], bool]) -> bool:
        """Whether nothing more can come of an outbox that another one followed."""
        outbox = self.outboxes[name]
        if outbox.closed_at is not None and whole >= outbox.closed_at:
            return True
        records = self.outboxes[following].dated
        if proven is None or not records:
            return False
        return all_lost(lost, proven, records[min(records)])
