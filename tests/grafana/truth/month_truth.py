"""Every row that the month must have left in the series, worked out from the story alone; nothing of ingest is used."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

import month_broker
import month_story as story
from month_calendar import QUARTER, day_of, hours, is_closed, is_whole, midnight, served, stands
from month_day import Facts, month_row
from month_life import PATIENCE, Life
from month_story import DAY, HOUR, MINUTE, Kept, Message, Story
from synthetic_city import City

TEXTS = {
    "boot": "Mesin menyala",
    "clock_step": "Jam mesin disetel",
    "reader_fault": "Pembaca kartu terganggu",
    "reader_ok": "Pembaca kartu pulih",
    "records_dropped": "Catatan mesin hilang",
}


@dataclass(frozen=True)
class Seen:
    """A tap that counts: where, when it was really made, whose it was (None: nobody's)."""

    device: str
    made: int
    arrived: int
    unit: str | None
    seq: int


@dataclass
class Silence:
    """A time in which a machine was not heard."""

    begin: int
    end: int
    ongoing: int = 1


@dataclass
class Month:
    """What follows from the story; `rows` says it in the words of the series."""

    told: Story
    city: City = field(default_factory=lambda: City(now=story.NOW))
    silences: dict[str, list[Silence]] = field(default_factory=lambda: defaultdict(list))

    # ---- what arrived ------------------------------------------------------------------------------------------------

    @property
    def days(self) -> list[date]:
        """From the first to that of the last step."""
        return [day for day in story.days() if day <= day_of(self.told.steps[-1])]

    @cached_property
    def seen(self) -> list[Seen]:
        owner = {card.uid: (home, card) for home in story.HOMES for card in home.cards}
        found = []
        for record in self.records("tap"):
            if record.uid != story.TEST_CARD:
                home, card = owner.get(record.uid, (None, None))
                is_known = card is not None and card.first <= day_of(record.made) <= card.last
                unit = home.name if home and is_known else None
                found.append(Seen(record.device, record.made, record.arrived or 0, unit, record.seq))
        return found

    def records(self, *kinds: str) -> Iterator[Kept]:
        """Of these kinds, what arrived before the ingester's last step."""
        for kept in self.told.kept.values():
            yield from (r for r in kept if r.kind in kinds and r.arrived and r.arrived <= self.told.steps[-1])

    @cached_property
    def able(self) -> dict[tuple[str, int], int]:
        return {
            (record.device, record.made // HOUR * HOUR - HOUR): record.able
            for record in self.records("hours")
            if record.trusted
        }

    @cached_property
    def taps(self) -> dict[tuple[str, int, bool], int]:
        """By machine, quarter-hour, and whether the card was known."""
        return Counter((s.device, s.made // QUARTER * QUARTER, s.unit is not None) for s in self.seen)

    @cached_property
    def hourly(self) -> dict[str, Counter[int]]:
        """By estate and hour."""
        found: dict[str, Counter[int]] = defaultdict(Counter)
        for tap in self.seen:
            found[story.ESTATE_OF[tap.device]][tap.made // HOUR * HOUR] += 1
        return found

    # ---- machines by the minute --------------------------------------------------------------------------------------

    @cached_property
    def minutes(self) -> list[int]:
        """Those in which rows were written; the flag: since when somebody had listened."""
        found, since, before = [], 0, 0
        for step in self.told.steps:
            if step - before > 2 * MINUTE:
                since = step
            before, minute = step, step // MINUTE * MINUTE
            if minute > since:
                found.append((minute, since))
        self._since = dict(found)
        return [minute for minute, _ in found]

    def write_minutes(self) -> None:
        signs: dict[str, list[Message]] = defaultdict(list)
        for told in self.told.messages:
            if told.kind in ("heartbeat", "status"):
                signs[told.device].append(told)
        lives = {device: Life(device, self, signs[device]) for device in story.ESTATE_OF}
        for minute in self.minutes:
            self._write_minute(minute, lives)

    def _write_minute(self, minute: int, lives: "dict[str, Life]") -> None:
        standing = [device for device, (since, until) in story.STANDS.items() if since <= minute < until]
        rows = {device: lives[device].row(minute) for device in standing}
        is_sure = minute - PATIENCE >= self._since[minute]
        for device, row in rows.items():
            if is_sure or row["online"]:
                self.write("machine", minute, device=device, estate=story.ESTATE_OF[device], **row)
                self.note_silence(device, minute, lives[device], is_online=bool(row["online"]))
        if is_sure or all(row["online"] for row in rows.values()):
            for estate, (lat, lon) in story.PLACES.items():
                here = [row["online"] for device, row in rows.items() if story.ESTATE_OF[device] == estate]
                self.write("fleet", minute, estate=estate, registered=len(here), online=sum(here), lat=lat, lon=lon)

    def note_silence(self, device: str, minute: int, life: Life, *, is_online: bool) -> None:
        """It lasts from the last sign of life to the next, or to the last minute that surely belongs to it."""
        lasting = self.silences[device][-1] if self.silences[device] else None
        if lasting and lasting.ongoing and life.heard > lasting.begin:
            first = min(when for when in (life.born, life.heard) if when > lasting.end)
            lasting.end = lasting.end if self._since[minute] > lasting.end else first
            lasting.ongoing = 0
        if not is_online and life.heard:
            if not lasting or not lasting.ongoing:
                self.silences[device].append(lasting := Silence(life.heard, minute))
            lasting.end = minute

    def write_silences(self) -> None:
        for device, silences in self.silences.items():
            for each in silences:
                lasted = {"end_ms": each.end, "duration_s": (each.end - each.begin) // 1000, "ongoing": each.ongoing}
                where = {"device": device, "estate": story.ESTATE_OF[device]}
                self.write("machine_event", each.begin, **where, kind="offline", text="Mesin luring", **lasted)

    @cached_property
    def online_minutes(self) -> dict[tuple[str, int], int]:
        """By machine and hour."""
        rows = self.city.rows["machine"]
        return Counter((row["device"], row["time"] // HOUR * HOUR) for row in rows if row["online"])

    def write(self, series: str, when: int, **values: Any) -> None:
        self.city.rows.setdefault(series, []).append({"time": when, **values})

    # ---- single taps, events, the pipeline ---------------------------------------------------------------------------

    def write_taps(self) -> None:
        tests = [Seen(r.device, r.made, r.arrived or 0, None, r.seq) for r in self.records("tap") if
                 r.uid == story.TEST_CARD]  # fmt: skip
        for tap in [*self.seen, *tests]:
            known = int(tap.unit is not None)
            unknown = int(tap not in tests and not known)
            values = {"known": known, "unknown": unknown, "seq": tap.seq, "lag": tap.arrived - tap.made}
            self.write("tap", tap.made, device=tap.device, **values)

    def write_events(self) -> None:
        for record in self.records(*TEXTS):
            when = record.made if record.trusted else record.arrived or 0
            values = {"kind": record.kind, "text": TEXTS[record.kind], "end_ms": when, "duration_s": 0, "ongoing": 0}
            self.write("machine_event", when, device=record.device, estate=story.ESTATE_OF[record.device], **values)

    def write_pipeline(self) -> None:
        waiting = iter([*self.told.messages, Message(2**60, "", "")])
        following = next(waiting)
        messages = records = twice = letters = 0
        kept: set[tuple[str, int]] = set()
        for step in self.told.steps:
            if step == story.RESTARTED:
                messages = records = twice = letters = 0
            lags = []
            while following.arrived <= step:
                messages += following.kind != "nonsense"
                letters += following.kind == "nonsense" or any(r.kind == "garbage" for r in following.records)
                records += len(following.records)
                seqs = {(record.device, record.seq) for record in following.records}
                twice += len(seqs & kept)
                kept |= seqs
                if following.kind == "records":
                    lags.append(step - following.arrived)
                following = next(waiting)
            minute = step // MINUTE * MINUTE
            none = dict.fromkeys(
                ("errors_total", "dlq_total", "duplicates_total", "held", "backlog", "series_total"), 0
            )
            none |= {"lag_p50_ms": 0.0, "lag_p95_ms": 0.0, "lag_max_ms": 0.0}
            mqtt = none | {"msgs_total": messages, "backlog": month_broker.waiting_at(step)}
            store = none | {"msgs_total": records, "dlq_total": letters, "duplicates_total": twice}
            store |= {"held": self.held(step, is_swept=False), **quantiles(lags)}
            for stage, values in (("mqtt", mqtt), ("store", store)):
                self.write("pipeline", minute, instance="ingest-1", stage=stage, **values)
            self.write("broker", minute, instance="broker", **month_broker.broker_at(step))

    def held(self, step: int, device: str = "", *, is_swept: bool = True) -> int:
        """Taps that nobody can date yet. They are dated by the sweep of the step that brought the clock's setting."""
        waiting = 0
        for where, (_, set_right) in story.WRONG.items():
            dated_by = next((each for each in self.told.steps if each >= set_right + 300), 2**60)
            if (not device or where == device) and (step < dated_by if is_swept else step <= dated_by):
                mine = [r for r in self.told.kept[where] if r.kind == "tap" and not r.trusted]
                waiting += sum((record.arrived or 0) <= step for record in mine)
        return waiting

    # ---- roll-ups ----------------------------------------------------------------------------------------------------

    def write_rollups(self) -> None:
        until = self.told.steps[-1]
        for estate in story.FLEET:
            days = [day for day in self.days if day >= story.GO_LIVE[estate]]
            facts = {day: Facts(self, estate, day) for day in days}
            for day in days:
                self.write("attendance_day", midnight(day), estate=estate, **facts[day].row(), **facts[day].silence())
            for day in [story.FIRST - timedelta(days=1), *self.days]:  # at its start ingest rolled up the day before
                self.write_hours(estate, day, until)
                for device in story.FLEET[estate]:
                    self.write_machine_day(device, day, until)
                    self.write_quarters(device, day, until)
            for month in (2, 3):
                of_month = [facts[day] for day in days if day.month == month]
                if of_month:
                    row = month_row(of_month)
                    self.write("attendance_month", story.at(month, 1), estate=estate, **row)

    def write_hours(self, estate: str, day: date, until: int) -> None:
        counts = self.hourly[estate]
        for number in range(24):
            begin = midnight(day) + number * HOUR
            if begin < until:
                pair = begin - number % 2 * HOUR
                few = {counts[pair], counts[pair + HOUR]} & {1, 2, 3, 4}
                row = {"n": 0 if few else counts[begin], "withheld": int(bool(few))}
                self.write("tap_hour", begin, estate=estate, hour=f"{number:02}", **row)

    def write_machine_day(self, device: str, day: date, until: int) -> None:
        since, gone = story.STANDS[device]
        if gone <= midnight(day) or since >= midnight(day) + DAY:
            return
        service = {hour: served(device, hour) for hour in hours(day) if hour + HOUR <= until}
        taps = sum(s.device == device and day_of(s.made) == day for s in self.seen)
        boots = [r.made if r.trusted else r.arrived or 0 for r in self.records("boot") if r.device == device]
        values = {
            "minutes_able": sum(self.able.get((device, hour), 0) * part / 60 for hour, part in service.items()),
            "minutes_expected": float(sum(service.values())),
            "minutes_online": sum(self.online_minutes[device, hour] * part / 60 for hour, part in service.items()),
        }
        restarts = sum(day_of(when) == day for when in boots)
        where = {"device": device, "estate": story.ESTATE_OF[device]}
        self.write("machine_day", midnight(day), **where, **values, taps=taps, restarts=restarts)

    def write_quarters(self, device: str, day: date, until: int) -> None:
        where = {"device": device, "estate": story.ESTATE_OF[device]}
        for begin in range(midnight(day), min(until, midnight(day) + DAY), QUARTER):
            if stands(device, begin):
                known, unknown = (self.taps[device, begin, is_known] for is_known in (True, False))
                like = [begin - week * 7 * DAY for week in range(1, 9)]
                like = [when for when in like if stands(device, when) and self.able.get((device, when // HOUR * HOUR))]
                like = [when for when in like if not is_closed(where["estate"], day_of(when))]
                sums = [self.taps[device, when, True] + self.taps[device, when, False] for when in like]
                expected = {"expected": sum(sums) / len(sums)} if len(sums) >= 2 else {}
                self.write("tap_15m", begin, **where, known=known, unknown=unknown, **expected)

    # ---- completeness ------------------------------------------------------------------------------------------------

    @cached_property
    def completed(self) -> dict[tuple[str, date], int]:
        """When the ingester, which looks every ten minutes, first saw that everything of a day had arrived."""
        found: dict[tuple[str, date], int] = {}
        looked = 0
        for step in self.told.steps:
            if step == story.RESTARTED or step - looked >= 10 * MINUTE:
                looked = step
                reached = {device: self.reached(device, step) for device in story.ESTATE_OF}
                for estate, devices in story.FLEET.items():
                    for day in (d for d in story.days() if d < day_of(step)):
                        if all(is_whole(device, day, reached[device]) for device in devices):
                            found.setdefault((estate, day), step)
        return found

    @cached_property
    def _proofs(self) -> dict[str, list[tuple[int, int]]]:
        """By machine: when it reached the cloud that everything made by then has arrived, and when that was made."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for device, kept in self.told.kept.items():
            all_by = [0, *accumulate((self.settled(record) for record in kept), max)]
            base: dict[str, int] = {}
            for told in self._beats[device]:
                boot, when = told.said["boot"], told.arrived - told.said["uptime_s"] * 1000
                base[boot] = min(when, base.get(boot, when))
            for told in [*self._beats[device], *self._goodbyes[device]]:
                made = base[told.said["boot"]] + told.said["uptime_s"] * 1000
                found[device].append((max(told.arrived, all_by[told.said["last_seq"]]), made))
        return found

    @cached_property
    def _beats(self) -> dict[str, list[Message]]:
        return self._told_by(lambda told: told.kind == "heartbeat")

    @cached_property
    def _goodbyes(self) -> dict[str, list[Message]]:
        return self._told_by(lambda told: told.said.get("reason") == "goodbye")

    def _told_by(self, wanted: Callable[[Message], bool]) -> dict[str, list[Message]]:
        found: dict[str, list[Message]] = defaultdict(list)
        for told in filter(wanted, self.told.messages):
            found[told.device].append(told)
        return found

    def settled(self, record: Kept) -> int:
        """When nothing more was to be waited for: a tap without a date waits for the clock's setting."""
        if record.arrived is None:
            return next(r.arrived or 2**60 for r in self.told.kept[record.device] if r.kind == "records_dropped")
        if record.kind == "tap" and not record.trusted:
            return max(record.arrived, story.WRONG[record.device][1] + 300)
        return record.arrived

    def reached(self, device: str, step: int) -> int:
        return max((made for known, made in self._proofs[device] if known <= step), default=-1)


def quantiles(lags: list[int]) -> dict[str, float]:
    ranked = sorted(lags) or [0]
    return {
        f"lag_{name}_ms": float(ranked[max(0, math.ceil(len(ranked) * share) - 1)])
        for name, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    }


def rows(told: Story) -> City:
    """Everything that must be there after the month."""
    month = Month(told)
    month.write_minutes()
    month.write_taps()
    month.write_events()
    month.write_silences()
    month.write_pipeline()
    month.write_rollups()
    return month.city
