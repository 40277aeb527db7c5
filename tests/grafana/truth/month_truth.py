"""Every row that the month must have left in the series, worked out from the story alone; nothing of ingest is used."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

import month_story as story
from month_story import DAY, HOUR, MINUTE, SECOND, WIB, Kept, Message, Story, Unit
from synthetic_city import City

QUARTER = 15 * MINUTE
PATIENCE = 180 * SECOND
UNSEEN = (
    "not_live",
    "no_tenancy",
    "new_tenant",
    "no_card",
    "calendar",
    "leave",
    "lost",
    "no_machine",
    "closed",
    "machine",
)
TEXTS = {
    "boot": "Mesin menyala",
    "clock_step": "Jam mesin disetel",
    "reader_fault": "Pembaca kartu terganggu",
    "reader_ok": "Pembaca kartu pulih",
    "records_dropped": "Catatan mesin hilang",
}


def day_of(when: int) -> date:
    return datetime.fromtimestamp(when / 1000, WIB).date()


def midnight(day: date) -> int:
    return (
        story.at(day.month, day.day)
        if day.year == 2026
        else round(datetime(day.year, day.month, day.day, tzinfo=WIB).timestamp() * 1000)
    )


@dataclass(frozen=True)
class Seen:
    """A tap that counts: where, when it was really made, whose it was (None: nobody's)."""

    device: str
    made: int
    arrived: int
    unit: str | None
    seq: int


@dataclass
class Month:
    """What follows from the story; `rows` says it in the words of the series."""

    told: Story
    city: City = field(default_factory=lambda: City(now=story.NOW))

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
        if is_sure or all(row["online"] for row in rows.values()):
            for estate, (lat, lon) in story.PLACES.items():
                here = [row["online"] for device, row in rows.items() if story.ESTATE_OF[device] == estate]
                self.write("fleet", minute, estate=estate, registered=len(here), online=sum(here), lat=lat, lon=lon)

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
            mqtt = none | {"msgs_total": messages, "backlog": story.waiting_at(step)}
            store = none | {"msgs_total": records, "dlq_total": letters, "duplicates_total": twice}
            store |= {"held": self.held(step, is_swept=False), **quantiles(lags)}
            for stage, values in (("mqtt", mqtt), ("store", store)):
                self.write("pipeline", minute, instance="ingest-1", stage=stage, **values)
            self.write("broker", minute, instance="broker", **story.broker_at(step))

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
                few = 0 < counts[begin] < 5
                row = {"n": 0 if few else counts[begin], "withheld": int(few)}
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


def hours(day: date) -> range:
    return range(midnight(day), midnight(day) + DAY, HOUR)


def stands(device: str, when: int) -> bool:
    return story.STANDS[device][0] <= when < story.STANDS[device][1]


def is_closed(estate: str, day: date) -> bool:
    return any(scope in ("*", estate) and first <= day <= last for scope, first, last in story.CLOSED)


def served(device: str, hour: int) -> float:
    """Minutes of an hour in which it stands and can be reached."""
    opens, closes = story.SERVICE.get(story.ESTATE_OF[device], (0, 24))
    begin = midnight(day_of(hour))
    first = max(hour, begin + opens * HOUR, story.STANDS[device][0])
    last = min(hour + HOUR, begin + closes * HOUR, story.STANDS[device][1])
    return max(0, last - first) / MINUTE


def is_whole(device: str, day: date, reached: int) -> bool:
    """Whether nothing of *day* can still come from this machine."""
    since, gone = story.STANDS[device]
    if gone <= midnight(day) or since >= midnight(day) + DAY:
        return True
    return reached >= min(midnight(day) + DAY + QUARTER, gone)


# ---- a machine's minute ----------------------------------------------------------------------------------------------


class Life:
    """What is known of one machine, minute after minute."""

    def __init__(self, device: str, month: Month, signs: list[Message]) -> None:
        self.device, self.month, self.signs = device, month, signs
        self.beat: Message | None = None
        self.heard = self.gone = self.told = 0
        self.book = (0, 0, 0, 0, 0)
        self.quarter = 0
        self.next = 0

    def row(self, minute: int) -> dict[str, Any]:
        while self.next < len(self.signs) and self.signs[self.next].arrived <= minute:
            self._note(self.signs[self.next])
            self.next += 1
        restarted = minute == story.RESTARTED // MINUTE * MINUTE  # the program that starts shows what is there now
        if minute // QUARTER != self.quarter or restarted:
            self.quarter, self.book = minute // QUARTER, self._book(minute)
        seen = self.heard or story.STANDS[self.device][0]
        online = self.heard > 0 and minute - self.heard <= PATIENCE and self.heard > self.gone
        book = dict(zip(("made", "stored", "missing", "held", "rejected"), self.book, strict=True))
        row = {"online": int(online), "heard": int(self.beat is not None), "last_seen_s": (minute - seen) // 1000}
        return row | book | self._said(minute)

    def _note(self, sign: Message) -> None:
        if sign.kind == "heartbeat":
            self.beat = sign
        if sign.said.get("reason") in ("will", "goodbye"):
            self.gone = sign.arrived
        if sign.said.get("reason") != "will":
            self.heard = sign.arrived
            self.told = max(self.told, sign.said["last_seq"])

    def _said(self, minute: int) -> dict[str, Any]:
        names = ("uptime_s", "backlog", "disk_free_pct", "version", "parked")
        if self.beat is None:
            nothing = ("reader_ok", "clock_trusted", "oldest_unsent_s", "clock_offset_ms", "refused")
            return dict.fromkeys([*names, *nothing], 0) | {"version": "none", "disk_free_pct": 0.0}
        said = self.beat.said
        oldest, offset = said["oldest_unsent"], said["clock_offset_ms"]
        return {name: said[name] for name in names} | {
            "reader_ok": int(said["reader"] == "ok"),
            "clock_trusted": int(said["clock"] == "trusted"),
            "oldest_unsent_s": 0 if oldest is None else (minute - oldest) // 1000,
            "clock_offset_ms": said["at"] - self.beat.arrived if offset is None else offset,
            "refused": 0,
        }

    def _book(self, minute: int) -> tuple[int, int, int, int, int]:
        """Made, stored, missing, held, rejected. What was said to be lost stays missing: the five add up."""
        kept = self.month.told.kept[self.device]
        arrived = [record for record in kept if record.arrived and record.arrived <= minute]
        made = max([self.told, *(record.seq for record in arrived)])
        held = self.month.held(minute + 20 * SECOND, self.device)
        refused = sum(record.kind == "garbage" for record in arrived)
        return made, len(arrived) - held - refused, made - len(arrived), held, refused


# ---- an estate's day -------------------------------------------------------------------------------------------------


class Facts:
    """One day of an estate."""

    def __init__(self, month: Month, estate: str, day: date) -> None:
        self.month, self.estate, self.day = month, estate, day
        self.homes = [home for home in story.HOMES if home.estate == estate]
        whole = midnight(day), midnight(day) + DAY
        devices = story.FLEET[estate]
        self.machines = [d for d in devices if story.STANDS[d][0] <= whole[0] and whole[1] <= story.STANDS[d][1]]
        self.able = sum(
            max((month.able.get((d, hour), 0) * served(d, hour) / 60 for d in self.machines), default=0)
            for hour in hours(day)
        )
        self.service = float(sum(max((served(d, hour) for d in self.machines), default=0) for hour in hours(day)))
        mine = {home.name for home in self.homes}
        tapped: dict[str, set[date]] = defaultdict(set)
        for tap in month.seen:
            if tap.unit in mine:
                tapped[tap.unit].add(day_of(tap.made))
        self.tapped = tapped
        self.present = {name for name in mine if day in tapped[name]}
        self.let = [home for home in self.homes if home.let_from <= day < home.let_until]
        self.registered = {home.name for home in self.let if self._cards(home)}
        self.obliged = {home.name for home in self.let if any(card.obliged for card in self._cards(home))}
        here = [tap for tap in month.seen if day_of(tap.made) == day and story.ESTATE_OF[tap.device] == estate]
        self.taps, self.unknown = len(here), sum(tap.unit is None for tap in here)
        self.late = sum(tap.arrived >= midnight(day) + DAY + QUARTER for tap in here)
        self.completed = month.completed.get((estate, day))
        self.uncounted = Counter(filter(None, (self._why_not(home) for home in self.homes)))

    def _cards(self, home: Unit) -> list[story.Card]:
        return [card for card in home.cards if card.first <= self.day <= card.last]

    def row(self) -> dict[str, Any]:
        return common([self], len(self.homes))

    def silence(self) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for length in (7, 14, 30):
            window = {self.day - timedelta(days=back) for back in range(length)}
            row[f"silent_units_{length}d"] = sum(not self.tapped[name] & window for name in self.obliged)
        row |= {f"uncounted_{reason}": self.uncounted[reason] for reason in UNSEEN}
        return row | {"counted_units": len(self.homes) - sum(self.uncounted.values())}

    def _why_not(self, home: Unit) -> str | None:
        if home not in self.let:
            return "no_tenancy"
        if (self.day - home.let_from).days < 30:
            return "new_tenant"
        if not any(card.obliged for card in self._cards(home)):
            return "no_card"
        if is_closed(self.estate, self.day):
            return "calendar"
        if home.leave and home.leave[0] <= self.day <= home.leave[1]:
            return "leave"
        return self._disturbed()

    def _disturbed(self) -> str | None:
        where, begin, end = story.LOST
        if story.ESTATE_OF[where] == self.estate and day_of(begin) <= self.day <= day_of(end):
            return "lost"
        if not self.machines:
            return "no_machine"
        enough = max(min(240, 0.8 * self.service), 0.5 * self.service)
        return "machine" if self.able < enough else None


def common(window: list[Facts], total: int) -> dict[str, Any]:
    able, service = sum(day.able for day in window), sum(day.service for day in window)
    ended = [day.completed for day in window if day.completed]
    is_over = (window[-1].day + timedelta(days=1)).month != window[-1].day.month or len(window) == 1
    return {
        "present_units": len(set().union(*(day.present for day in window))),
        "obliged_units": len(set().union(*(day.obliged for day in window))),
        "registered_units": len(set().union(*(day.registered for day in window))),
        "total_units": total,
        "taps": sum(day.taps for day in window),
        "unknown_taps": sum(day.unknown for day in window),
        "late_taps": sum(day.late for day in window),
        "able_min": float(able),
        "service_min": float(service),
        **({"complete_pct": 100 * able / service} if service else {}),
        **({"completed_at": max(ended)} if len(ended) == len(window) and is_over else {}),
    }


def month_row(window: list[Facts]) -> dict[str, Any]:
    row = common(window, len(window[-1].homes))
    if (window[-1].day + timedelta(days=1)).month == window[-1].day.month:
        row.pop("completed_at", None)
    return row | {
        "days": len(window),
        "present_unit_days": sum(len(day.present) for day in window),
        "obliged_unit_days": sum(len(day.obliged) for day in window),
        "counted_unit_days": sum(len(day.homes) - sum(day.uncounted.values()) for day in window),
    }


# ---- what nobody writes yet ------------------------------------------------------------------------------------------

UNWRITTEN = ("flag", "estate_event")


def write_unwritten(city: City) -> None:
    """Flags, the estates' events, the alert worker's stage, and times in which a machine was silent."""
    now = story.NOW_MS // MINUTE * MINUTE
    for number, minute in enumerate(range(now - 26 * HOUR, now + 1, MINUTE)):
        for place, estate in enumerate(story.FLEET):
            for turn, kind in enumerate(("DEVICE_OFFLINE", "UNIT_NO_TAPS")):
                parts = (
                    "open",
                    "unacknowledged",
                    "hushed",
                    "oldest_s",
                    "opened_total",
                    "closed_total",
                    "retracted_total",
                )
                values = {name: (number + 3 * place + 5 * turn + at) % 11 for at, name in enumerate(parts)}
                write(city, "flag", minute, estate=estate, kind=kind, **values)
        stage = dict.fromkeys(("errors_total", "dlq_total", "duplicates_total", "held", "series_total"), 0)
        stage |= {"msgs_total": 4 * number, "backlog": number % 3}
        stage |= {"lag_p50_ms": 4.0, "lag_p95_ms": number % 9 + 5.5, "lag_max_ms": number % 9 + 8.5}
        if minute <= now - 50 * MINUTE:
            write(city, "pipeline", minute, instance="alerts-1", stage="alerts", **stage)
    for estate, kind, begin, length in (
        ("MRD", "outage", story.CUT_OFF["MRD-01"][0][0], 2),
        ("MRD", "outage", story.at(2, 11, 3), 2),
        ("KRA", "outage", story.FAULTS["KRA-01"][1][0], 20),
        ("DMG", "policy", story.at(2, 16, 9), 0),
    ):
        over = {"end_ms": begin + length * HOUR, "duration_s": length * 3600, "ongoing": 0}
        write(city, "estate_event", begin, estate=estate, kind=kind, text=f"Kejadian {kind}", **over)
    for device, spans in story.CUT_OFF.items():
        for begin, end in spans:
            until = min(end, now)
            lasted = {"end_ms": until, "duration_s": (until - begin) // 1000, "ongoing": int(end > now)}
            where = {"device": device, "estate": story.ESTATE_OF[device]}
            write(city, "machine_event", begin, **where, kind="offline", text="Mesin luring", **lasted)


def write(city: City, series: str, when: int, **values: Any) -> None:
    city.rows.setdefault(series, []).append({"time": when, **values})


def rows(told: Story) -> City:
    """Everything that must be there after the month."""
    month = Month(told)
    month.write_minutes()
    month.write_taps()
    month.write_events()
    month.write_pipeline()
    month.write_rollups()
    return month.city
