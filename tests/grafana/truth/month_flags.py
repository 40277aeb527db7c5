"""The flags of the month, and what the alert worker must have told of them: from the story alone, by rules told anew.

What the story has in it: machines that fall silent (one was never heard), an estate cut off, a reader that fails,
a clock that is wrong, a record that never becomes complete, an ingester that is down. Flags of other kinds must not be
there: too few machines fall silent at once to be the city's outage by this month's policy, nobody is absent for three
periods, and nobody's card is at two places.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

import month_story as story
from month_calendar import day_of, is_whole, midnight
from month_story import DAY, MINUTE, SECOND, Message
from month_truth import Month

PATIENCE, DOUBT, SETTLE, CALM = 15 * MINUTE, 3 * MINUTE, 10 * MINUTE, 5 * MINUTE
STUCK_D = 7
CITY = "KOTA"
ROOTS = {
    "ESTATE_OFFLINE": ("INGEST_DOWN",),
    "DEVICE_OFFLINE": ("ESTATE_OFFLINE", "INGEST_DOWN"),
    "CLOCK_SKEW": ("DEVICE_OFFLINE", "ESTATE_OFFLINE", "INGEST_DOWN"),
    "READER_FAULT": ("DEVICE_OFFLINE", "ESTATE_OFFLINE", "INGEST_DOWN"),
    "WATERMARK_STUCK": ("DEVICE_OFFLINE", "ESTATE_OFFLINE", "INGEST_DOWN"),
}
"""What keeps a flag from opening, and hushes one that is open: about its machine, its estate, or the whole city."""


@dataclass
class Flag:
    """One flag; `opened` None: something else explained it before it could open."""

    kind: str
    subject: str
    since: int
    opened: int | None = None
    recovering: int | None = None
    ended: int | None = None
    taken_until: int = 0
    is_hushed: bool = False
    heard: dict[str, int] = field(default_factory=dict)
    """When those that it is about had last been heard."""

    @property
    def estate(self) -> str:
        return CITY if self.subject == "*" else story.ESTATE_OF.get(self.subject, self.subject)

    @property
    def is_open(self) -> bool:
        return self.opened is not None and self.ended is None


Rule = Callable[[str, Flag | None], int | None]
"""Since when something is wrong with a machine, an estate, the city; None: it is not."""


class Watch:
    """The flags as they stand after the latest round."""

    def __init__(self, month: Month) -> None:
        self.month, self.flags = month, list[Flag]()
        signs = [told for told in month.told.messages if told.kind in ("heartbeat", "status")]
        self._waiting = iter([*signs, Message(2**60, "", "")])
        self._next = next(self._waiting)
        self.heard: dict[str, int] = {}
        self.beats: dict[str, list[Message]] = {device: [] for device in story.ESTATE_OF}
        self.now = self.since = self.until = 0

    def go_on(self, now: int) -> None:
        """The round at *now*: what explains others first."""
        self.now = now
        for step in self.month.told.steps:
            if self.until < step <= now:
                self.since = step if step - self.until > 2 * MINUTE else self.since
                self.until = step
        while self._next.arrived <= self.until:
            self._hear(self._next)
            self._next = next(self._waiting)
        self._judge("INGEST_DOWN", "*", self._nobody_hears, is_judged=True)
        for estate in story.FLEET:
            self._judge("ESTATE_OFFLINE", estate, self._dark)
        for kind, rule in (
            ("DEVICE_OFFLINE", self._silent),
            ("CLOCK_SKEW", self._skewed),
            ("READER_FAULT", self._fault),
        ):
            for device in self.standing:
                self._judge(kind, device, rule)
        for device in self.standing:
            self._judge("WATERMARK_STUCK", device, self._stuck, is_judged=True)

    @property
    def standing(self) -> list[str]:
        return [device for device, (begin, end) in story.STANDS.items() if begin <= self.now < end]

    def alive(self, kind: str, subject: str) -> Flag | None:
        return next((f for f in self.flags if (f.kind, f.subject, f.ended) == (kind, subject, None)), None)

    def _hear(self, told: Message) -> None:
        if told.said.get("reason") != "will":
            self.heard[told.device] = told.arrived
        if told.kind == "heartbeat":
            self.beats[told.device].append(told)

    # ---- how a flag moves --------------------------------------------------------------------------------------------

    def _judge(self, kind: str, subject: str, rule: Rule, *, is_judged: bool = False) -> None:
        flag = self.alive(kind, subject)
        since = rule(subject, flag)
        if since is not None:
            if flag is None:
                flag = Flag(kind, subject, since, heard=dict(self.heard))
                self.flags.append(flag)
            flag.recovering = None
            flag.is_hushed = self._is_hushed(flag)
            if flag.opened is None and not self._is_explained(flag):
                flag.opened = self.now
        elif flag is not None and (is_judged or self.is_listening):
            self._recover(flag)
        elif flag is not None:
            flag.is_hushed = self._is_hushed(flag)

    def _recover(self, flag: Flag) -> None:
        flag.recovering = flag.recovering or self.now
        if flag.opened is None or self.now - flag.recovering >= SETTLE:
            flag.ended = self.now

    def _is_explained(self, flag: Flag) -> bool:
        over = (flag.subject, flag.estate, "*")
        return any(self.alive(kind, subject) for kind in ROOTS.get(flag.kind, ()) for subject in over)

    def _is_hushed(self, flag: Flag) -> bool:
        estate, begin, end = story.SILENCED
        return self._is_explained(flag) or (flag.estate == estate and begin <= self.now < end)

    # ---- what is wrong -----------------------------------------------------------------------------------------------

    @property
    def is_listening(self) -> bool:
        return self.until >= self.now - MINUTE

    def _fell(self, device: str) -> int:
        return max(self.heard.get(device, 0), story.STANDS[device][0], self.since)

    def _silence(self, device: str) -> int:
        return min(self.now, self.until) - self._fell(device)

    def _nobody_hears(self, _: str, flag: Flag | None) -> int | None:
        return self.until if self.now - self.until > CALM else None

    def _dark(self, estate: str, flag: Flag | None) -> int | None:
        """None of several machines is heard, and one not for longer than is patient; until one of them is."""
        here = [device for device in self.standing if story.ESTATE_OF[device] == estate]
        silences = [self._silence(device) for device in here]
        is_still = flag is not None and all(flag.heard.get(device) == self.heard.get(device) for device in here)
        if len(here) > 1 and (is_still or (max(silences) > PATIENCE and min(silences) > DOUBT)):
            return min(self.heard.get(device, self._fell(device)) for device in here)
        return None

    def _silent(self, device: str, flag: Flag | None) -> int | None:
        is_still = flag is not None and flag.heard.get(device) == self.heard.get(device)
        if self._silence(device) > PATIENCE or is_still:
            return self.heard.get(device, self._fell(device))
        return None

    def _last(self, device: str, flag: Flag | None) -> list[Message]:
        """What it has said, if that may be taken for how it is now."""
        is_fresh = self.is_listening and self._silence(device) <= DOUBT
        return self.beats[device] if is_fresh or flag is not None else []

    def _skewed(self, device: str, flag: Flag | None) -> int | None:
        """By the median of the last five minutes, or of the last beat; until it is right by half a minute."""
        said = self._last(device, flag)
        recent = [beat for beat in said if said[-1].arrived - beat.arrived < CALM]
        offsets = [beat.said["at"] - beat.arrived if beat.said["clock_offset_ms"] is None
                   else beat.said["clock_offset_ms"] for beat in recent]  # fmt: skip
        is_wrong = bool(offsets) and abs(median(offsets)) > (30 if flag else 120) * SECOND
        is_astray = any(b.said["clock"] == "untrusted" and b.said["uptime_s"] > 900 for b in said[-1:])
        return said[-1].arrived if is_wrong or is_astray else None

    def _fault(self, device: str, flag: Flag | None) -> int | None:
        said = self._last(device, flag)
        if not said or said[-1].said["reader"] == "ok":
            return None
        since = said[-1].arrived
        for beat in reversed(said):
            if beat.said["reader"] == "ok":
                break
            since = beat.arrived
        return since if flag is not None or self.now - since > PATIENCE else None

    def _stuck(self, device: str, flag: Flag | None) -> int | None:
        """Days wait for its record for longer than a week."""
        reached = self.month.reached(device, self.until)
        last = midnight(day_of(self.now)) - (STUCK_D + 1) * DAY
        first = midnight(day_of(max(reached, story.STANDS[device][0])))
        waiting = [day for day in range(first, last + 1, DAY) if not is_whole(device, day_of(day), reached)]
        return waiting[0] if waiting else None


# ---- in the words of the series --------------------------------------------------------------------------------------

USUAL = ("DEVICE_OFFLINE", "UNIT_NO_TAPS")
"""These have a row at every estate, flag or not."""


def write(month: Month) -> None:
    """Every row of `flag` and `estate_event`, and of the worker's own stage."""
    watch, rounds, cycles = Watch(month), list(story.rounds()), 0
    for now in rounds:
        device, taken, lasting = story.TAKEN
        flag = watch.alive("DEVICE_OFFLINE", device)
        if now == taken and flag:
            flag.taken_until = taken + lasting
        watch.go_on(now)
        cycles = 1 if now == story.WORKER_RESTARTED else cycles + 1
        _write_flags(month, watch, now // MINUTE * MINUTE)
        _write_stage(month, now, cycles)
    for estate, kind, text, begin, end in occasions(watch):
        over = min(end, rounds[-1] // MINUTE * MINUTE)
        lasted = {"end_ms": over, "duration_s": (over - begin) // SECOND, "ongoing": int(end > over)}
        month.write("estate_event", begin, estate=estate, kind=kind, text=text, **lasted)


def _write_flags(month: Month, watch: Watch, minute: int) -> None:
    opened = [flag for flag in watch.flags if flag.opened is not None]
    keys = {(flag.estate, flag.kind) for flag in opened} | {(estate, kind) for estate in story.FLEET for kind in USUAL}
    for estate, kind in keys:
        those = [flag for flag in opened if (flag.estate, flag.kind) == (estate, kind)]
        standing = [flag for flag in those if flag.is_open]
        values = {
            "open": len(standing),
            "unacknowledged": sum(flag.taken_until <= watch.now for flag in standing),
            "hushed": sum(flag.is_hushed for flag in standing),
            "oldest_s": max([0, *((minute - (flag.opened or 0)) // SECOND for flag in standing)]),
            "opened_total": len(those),
            "closed_total": len(those) - len(standing),
            "retracted_total": 0,
        }
        month.write("flag", minute, estate=estate, kind=kind, **values)


def _write_stage(month: Month, now: int, cycles: int) -> None:
    """Nobody is to be told anything here, so nothing waits; nothing fails."""
    none = dict.fromkeys(("errors_total", "dlq_total", "duplicates_total", "held", "backlog", "series_total"), 0)
    lags = dict.fromkeys(("lag_p50_ms", "lag_p95_ms", "lag_max_ms"), float(story.round_ms(now)))
    where = {"instance": "alerts-1", "stage": "alerts"}
    month.write("pipeline", now // MINUTE * MINUTE, **where, msgs_total=cycles, **none, **lags)


def occasions(watch: Watch) -> Iterator[tuple[str, str, str, int, int]]:
    """Estate, kind, text, begin and end. A machine's silence is its estate's where no other stands."""
    texts = {"ESTATE_OFFLINE": "Semua mesin rusun luring", "DEVICE_OFFLINE": "Mesin rusun luring"}
    for flag in watch.flags:
        is_whole_estate = flag.kind == "ESTATE_OFFLINE" or len(story.FLEET.get(flag.estate, ())) == 1
        if flag.kind in texts and flag.opened and is_whole_estate:
            yield flag.estate, "outage", texts[flag.kind], flag.since, flag.recovering or 2**60
    for scope, first, last in story.CLOSED:
        for estate in story.FLEET if scope == "*" else [scope]:
            yield estate, "closure", "Rusun atau kantor ditutup", midnight(first), midnight(last) + DAY
    day, version = story.AMENDED
    for estate in story.FLEET:
        yield estate, "policy", f"Kebijakan {version} berlaku", midnight(day), midnight(day)
