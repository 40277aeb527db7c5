"""A month that never was, as plain facts: who lives where, what every machine kept, and what reached the cloud when.

Nothing here knows the programs. What goes wrong: two estates are cut off, a machine for ten days (its backlog comes
late), a clock is wrong, a machine is replaced, one was never heard, one falls silent, two change within the last three
minutes; a reader fails; records are lost, refused, sent twice; the ingester is down and starts again, and so does the
alert worker, which stops before the end.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from month_homes import Card, Unit

WIB = ZoneInfo("Asia/Jakarta")
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
FIRST, TODAY = date(2026, 2, 1), date(2026, 3, 3)
NOW = datetime(2026, 3, 3, 14, 7, 30, tzinfo=WIB)


def at(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    return round(datetime(2026, month, day, hour, minute, second, tzinfo=WIB).timestamp() * 1000)


NOW_MS, START = round(NOW.timestamp() * 1000), at(2, 1)
BY_MINUTE = [(at(2, 3, 22), at(2, 3, 22, 10)), (at(2, 27, 17), at(2, 27, 18, 30)), (at(3, 3, 1), 2**60)]
"""Here the clock moves minute by minute, and heartbeats come once a minute; else half a day, and half an hour."""
FLEET = {
    "DMG": ["DMG-01", "DMG-02", "DMG-03", "DMG-04"],
    "JNK": ["JNK-01"],
    "KRA": ["KRA-01"],
    "MRD": ["MRD-01", "MRD-02", "MRD-03", "MRD-04", "MRD-05", "MRD-06"],
}
ESTATE_OF = {device: estate for estate, devices in FLEET.items() for device in devices}
NEVER_HEARD = "JNK-01"
PLACES = {"DMG": (-6.16, 106.74), "JNK": (-6.21, 106.9), "KRA": (-6.1, 106.8), "MRD": (-6.11, 106.93)}
GO_LIVE = {"DMG": FIRST, "JNK": date(2026, 2, 10), "KRA": FIRST, "MRD": FIRST}
UNITS = {"DMG": 14, "JNK": 7, "KRA": 9, "MRD": 13}
SERVICE = {"MRD": (6, 22)}
REPLACED_AT = at(3, 3, 10)
STANDS = dict.fromkeys(ESTATE_OF, (at(1, 31, 9), 2**60)) | {
    "DMG-03": (at(1, 31, 9), REPLACED_AT),
    "DMG-04": (REPLACED_AT, 2**60),
    "MRD-06": (at(2, 3, 7, 30), 2**60),
}
CUT_OFF = {
    **{device: [(at(3, 3, 9, 12, 5), at(3, 3, 11, 14, 5))] for device in FLEET["MRD"]},
    "MRD-02": [(at(3, 3, 9, 12, 5), at(3, 3, 11, 14, 5)), (at(3, 3, 13, 25, 22), at(3, 3, 14, 5, 22))],
    "MRD-06": [(at(2, 20, 9, 0, 22), at(3, 3, 1, 30, 22)), (at(3, 3, 9, 12, 5), at(3, 3, 11, 14, 5))],
    "KRA-01": [(at(3, 3, 14, 3, 22), 2**60)],
    **{device: [(at(2, 27, 17, 34, 22), at(2, 27, 18, 14, 22))] for device in ("DMG-01", "DMG-03")},
    "DMG-02": [(at(2, 27, 17, 34, 22), at(2, 27, 18, 14, 22)), (at(3, 3, 9, 0, 22), 2**60)],
}
NO_WILL = {"KRA-01", "DMG-02"}
"""The broker does not notice that these are gone."""
WRONG = {"MRD-05": (at(3, 3, 2, 1, 5), at(3, 3, 8, 55, 30))}
BEHIND = HOUR
FAULTS = {"KRA-01": [(at(2, 15, 10), at(2, 15, 16)), (at(2, 19, 0), at(2, 19, 20))]}
LOST = ("MRD-03", at(2, 24, 6), at(2, 24, 8))
TWICE = ("DMG-01", at(3, 3, 5), at(3, 3, 8))
"""The answers to what this machine sent then never reached it: it sends all of it again a minute later."""
GARBAGE = ("KRA-01", at(3, 3, 6, 21, 33))
"""A card that no key will ever open."""
NONSENSE = ("DMG-01", at(3, 3, 11, 30, 30))
"""A heartbeat that cannot be read."""
DOWN = (at(3, 3, 12, 26, 30), at(3, 3, 12, 47, 10))
RESTARTED = at(3, 3, 13, 7, 20)
WORKER_RESTARTED, WORKER_STOPPED = at(3, 3, 11, 40, 20), at(3, 3, 13, 17, 30)
"""The alert worker watches on while the ingester is down; in the end it stops, and nobody notices for 50 minutes."""
CLOSELY = at(3, 3, 12, 20)
SILENCED = ("JNK", at(3, 3, 2), at(3, 3, 5))
"""Somebody wants to hear nothing of this estate."""
TAKEN = ("JNK-01", at(3, 3, 8, 50, 20), 3 * HOUR)
"""Somebody takes the flag of this machine at that round; for so long nobody else is told."""
AMENDED = (date(2026, 2, 16), "2026-2")
"""From this day on another policy holds."""
TEST_CARD = b"\x04test__"
STRANGERS = [b"\x04who%03d" % number for number in range(40)]


CLOSED = [("KRA", date(2026, 2, 12), date(2026, 2, 13)), ("*", date(2026, 2, 17), date(2026, 2, 17))]


def unit(estate: str, number: int) -> Unit:
    name = f"{estate}/A/01/{number + 1:02}"
    first, second = (f"\x04{estate}{number:02}{which}".encode() for which in "ab")
    cards = [Card(first, name)]
    if number == 2:
        cards.append(Card(second, name, obliged=False))
    if number == 4:
        cards = [Card(first, name, last=date(2026, 2, 15)), Card(second, name, first=date(2026, 2, 16))]
    if number % 6 == 5:
        cards = []
    return Unit(
        name,
        estate,
        let_from=date(2026, 2, 10) if number == 1 else date(2025, 6, 1),
        let_until=date(2026, 2, 20) if (estate, number) == ("DMG", 0) else date(9999, 1, 1),
        leave=(date(2026, 2, 20), date(2026, 2, 24)) if number == 3 else None,
        cards=tuple(cards),
    )


HOMES = [unit(estate, number) for estate, count in UNITS.items() for number in range(count)]


@dataclass(frozen=True)
class Kept:
    """A record of a machine: when it was really made, and when it first reached the cloud (None: it never will)."""

    device: str
    kind: str
    made: int
    boot: str
    trusted: bool = True
    uid: bytes = b""
    able: int = 60
    detail: dict[str, Any] = field(default_factory=dict)
    seq: int = 0
    arrived: int | None = None


@dataclass(frozen=True)
class Message:
    """What reached the cloud: records, a heartbeat, a status, or nonsense."""

    arrived: int
    device: str
    kind: str
    records: tuple[Kept, ...] = ()
    said: dict[str, Any] = field(default_factory=dict)


@dataclass
class Story:
    """All of it. `messages` in order of arrival; `steps`: the instants at which the ingester works, in order."""

    kept: dict[str, list[Kept]]
    messages: list[Message]
    steps: list[int]
    boots: dict[str, list[tuple[str, int]]]


def outbox(device: str) -> str:
    return str(UUID(int=100 + list(ESTATE_OF).index(device), version=4))


def boots_of(device: str) -> list[tuple[str, int]]:
    """Boot and when; the one with the wrong clock is the second."""
    begins = [max(START, STANDS[device][0]) + 25 * SECOND, *([WRONG[device][0]] if device in WRONG else [])]
    ids = [str(UUID(int=1000 + 10 * list(ESTATE_OF).index(device) + n, version=4)) for n in range(len(begins))]
    return list(zip(ids, begins, strict=True))


def boot_at(device: str, when: int) -> tuple[str, int]:
    return [each for each in boots_of(device) if each[1] <= when or each == boots_of(device)[0]][-1]


def is_connected(device: str, when: int) -> bool:
    return not any(begin <= when < end for begin, end in CUT_OFF.get(device, ()))


def is_trusted(device: str, when: int) -> bool:
    begin, end = WRONG.get(device, (0, 0))
    return not begin <= when < end


def has_fault(device: str, when: int) -> bool:
    return any(begin <= when < end for begin, end in FAULTS.get(device, ()))


def span(device: str) -> tuple[int, int]:
    """While it has power and stands."""
    return max(START, STANDS[device][0]), min(NOW_MS, STANDS[device][1])


def tell() -> Story:
    """The same in every run."""
    dice = random.Random(7)
    taps = [tap for day in days() for tap in taps_of(day, dice)]
    kept = {device: numbered(device, [t for t in taps if t.device == device]) for device in ESTATE_OF}
    kept[NEVER_HEARD] = []
    sent = [message for device in ESTATE_OF if device != NEVER_HEARD for message in messages_of(device, kept[device])]
    heard = [m for m in sent if m.kind == "records" or not DOWN[0] <= m.arrived < DOWN[1]]
    heard.append(Message(NONSENSE[1], NONSENSE[0], "nonsense"))
    heard.sort(key=lambda message: (message.arrived, message.device, message.kind))
    return Story(kept, [m for m in heard if m.arrived <= NOW_MS], list(steps()), {d: boots_of(d) for d in ESTATE_OF})


def days() -> list[date]:
    return [FIRST + timedelta(days=number) for number in range((TODAY - FIRST).days + 1)]


def is_fine(when: int) -> bool:
    return any(begin <= when < end for begin, end in BY_MINUTE)


def steps() -> Iterator[int]:
    """Half an hour after midnight and after noon, or every minute; none while the ingester is down."""
    for minute in range(START, NOW_MS, MINUTE):
        if is_fine(minute) or (minute - START) % (DAY // 2) == DAY // 48:
            step = minute + 20 * SECOND
            if step < NOW_MS and not DOWN[0] <= step < DOWN[1]:
                yield step


def rounds() -> Iterator[int]:
    """The instants at which the alert worker works: every ten minutes with the ingester, in its last hour each minute.

    (In the field it works each minute; here that would only take long.)
    """
    alone = range(DOWN[0] // MINUTE * MINUTE + 20 * SECOND, DOWN[1], MINUTE)
    for when in sorted({*steps(), *alone}):
        if when < WORKER_STOPPED and (when >= CLOSELY or when // MINUTE % 10 == 0):
            yield when


def round_ms(when: int) -> int:
    """How long a round takes it then."""
    return 3 + when // MINUTE % 9


# ---- taps ------------------------------------------------------------------------------------------------------------


def taps_of(day: date, dice: random.Random) -> list[Kept]:
    found = []
    for home in HOMES:
        for card in home.cards:
            is_used = card.first <= day <= card.last and home.let_from <= day and dice.random() < 0.75
            if is_used and not (home.leave and home.leave[0] <= day <= home.leave[1]):
                found += [tapped(day, home.estate, card.uid, dice) for _ in range(dice.choice([1, 1, 2]))]
    found += [tapped(day, dice.choice(list(FLEET)), dice.choice(STRANGERS), dice) for _ in range(9)]
    if day.day % 7 == 3:
        found.append(tapped(day, "DMG", TEST_CARD, dice))
    return [tap for tap in found if tap is not None]


def tapped(day: date, estate: str, uid: bytes, dice: random.Random) -> Kept | None:
    hour, minute, second = dice.choice([5, 6, 7, 10, 16, 17, 18, 19]), dice.choice([3, 21, 40]), dice.randrange(25, 45)
    when = at(day.month, day.day, hour, minute, second) + dice.randrange(1000)
    where = "MRD" if estate == "JNK" else estate
    standing = [device for device in FLEET[where] if span(device)[0] + HOUR <= when < span(device)[1]]
    device = dice.choice(standing) if standing else ""
    if not device or has_fault(device, when) or (device == "DMG-02" and when >= CUT_OFF[device][-1][0]):
        return None
    return Kept(device, "tap", when, boot_at(device, when)[0], is_trusted(device, when), uid)


# ---- what a machine keeps --------------------------------------------------------------------------------------------


def numbered(device: str, taps: list[Kept]) -> list[Kept]:
    """All its records in the order they were made, with their numbers, and when each arrives: never before another."""
    made = sorted([*taps, *happenings(device), *hours(device)], key=lambda record: record.made)
    found: list[Kept] = []
    reached = 0
    for seq, record in enumerate(made, 1):
        arrives = None if is_lost(record) else (reached := max(reached, arrival(device, record.made)))
        found.append(replace(record, seq=seq, arrived=arrives))
    return [with_loss(record, found) for record in found]


def is_lost(record: Kept) -> bool:
    return record.device == LOST[0] and record.kind == "tap" and LOST[1] <= record.made < LOST[2]


def with_loss(record: Kept, among: list[Kept]) -> Kept:
    if record.kind != "records_dropped":
        return record
    gone = [each for each in among if is_lost(each)]
    assert gone and gone[-1].seq - gone[0].seq == len(gone) - 1, "nothing else may lie between"
    named = {"from_seq": gone[0].seq, "to_seq": gone[-1].seq, "from": gone[0].made, "to": gone[-1].made}
    return replace(record, detail={"outbox": outbox(record.device), **named})


def happenings(device: str) -> list[Kept]:
    found = [event(device, "boot", when) for _, when in boots_of(device)]
    if device in WRONG:
        found.append(event(device, "clock_step", WRONG[device][1]))
    for begin, end in FAULTS.get(device, ()):
        found += [event(device, "reader_fault", begin + 25_400), event(device, "reader_ok", end + 25_400)]
    if device == LOST[0]:
        found.append(event(device, "records_dropped", at(2, 24, 12, 30, 27)))
    if device == GARBAGE[0]:
        found.append(event(device, "garbage", GARBAGE[1]))
    return found


def event(device: str, kind: str, when: int) -> Kept:
    return Kept(device, kind, when, boot_at(device, when)[0], is_trusted(device, when))


def hours(device: str) -> list[Kept]:
    """Of each full hour one, 27 s after it."""
    begin, end = span(device)
    return [
        replace(event(device, "hours", hour + HOUR + 27_000), able=able_minutes(device, hour))
        for hour in range(-(-begin // HOUR) * HOUR, end - HOUR - 27_000, HOUR)
    ]


def able_minutes(device: str, hour: int) -> int:
    if has_fault(device, hour):
        return 0
    _, set_right = WRONG.get(device, (0, 0))
    return 4 if hour <= set_right < hour + HOUR else 60


# ---- what it sends ---------------------------------------------------------------------------------------------------


def arrival(device: str, made: int) -> int:
    """At once; a backlog half a minute after the connection is back, a hundred records a minute (MRD-01: two)."""
    for begin, end in CUT_OFF.get(device, ()):
        if begin <= made < end:
            per_minute = 2 if device == "MRD-01" else 100
            waiting = (made - begin) // HOUR * 3  # about so many are before it
            return end + 30 * SECOND + waiting // per_minute * MINUTE
    return made + 300


def messages_of(device: str, kept: list[Kept]) -> list[Message]:
    groups: dict[int, list[Kept]] = {}
    for record in kept:
        if record.arrived is not None:
            groups.setdefault(record.arrived, []).append(record)
    found = []
    for when, records in groups.items():
        for first in range(0, len(records), 100):
            batch = Message(when, device, "records", tuple(records[first : first + 100]))
            found.append(batch)
            if device == TWICE[0] and TWICE[1] <= when < TWICE[2]:
                found.append(replace(batch, arrived=when + MINUTE))
    return found + beats(device, kept) + statuses(device, kept)


def beats(device: str, kept: list[Kept]) -> list[Message]:
    begin, end = span(device)
    every = [when for when in range(begin // HOUR * HOUR + 48_000, end, MINUTE) if begin <= when]
    whens = [when for when in every if (is_fine(when) or when % (HOUR // 2) == 48_000) and is_connected(device, when)]
    return [Message(when + 300, device, "heartbeat", said=beat(device, kept, when)) for when in whens]


def beat(device: str, kept: list[Kept], when: int) -> dict[str, Any]:
    made = bisect_right(kept, when, key=lambda record: record.made)
    waiting: list[Kept] = []
    for record in reversed(kept[:made]):
        if record.arrived is not None and record.arrived <= when - SECOND:
            break
        waiting += [] if is_lost(record) else [record]
    oldest = waiting[-1] if waiting else None
    trusted = is_trusted(device, when)
    return {
        "at": when - (0 if trusted else BEHIND),
        "uptime_s": (when - boot_at(device, when)[1]) // 1000,
        "boot": boot_at(device, when)[0],
        "session": session(device, when),
        "last_seq": made,
        "confirmed": (oldest.seq if oldest else made + 1) - 1,
        "backlog": len(waiting),
        "oldest_unsent": oldest.made if oldest else None,
        "reader": "fault" if has_fault(device, when) else "ok",
        "clock": "trusted" if trusted else "untrusted",
        "clock_offset_ms": int(device[-1]) * 7 - 20 if trusted else None,
        "disk_free_pct": 90.0 - made / 100,
        "parked": int(device == GARBAGE[0] and when > GARBAGE[1]),
        "version": "0.2.0" if device == "MRD-01" else "0.1.0",
    }


def session(device: str, when: int) -> int:
    return 1 + sum(end <= when for _, end in CUT_OFF.get(device, ())) + sum(b <= when for _, b in boots_of(device)[1:])


def statuses(device: str, kept: list[Kept]) -> list[Message]:
    """Births at each connection, a will a minute and a half after each break, a goodbye when it is taken away."""
    begin, end = span(device)
    births = [begin, *(back for _, back in CUT_OFF.get(device, ())), *(b for _, b in boots_of(device)[1:])]
    found = [status(device, kept, when + 28_000, "birth") for when in births if begin <= when < end - MINUTE]
    if device not in NO_WILL:
        broken = [when for when, _ in CUT_OFF.get(device, ()) if begin <= when]
        found += [status(device, kept, when + 95_000, "will", gone=when) for when in broken]
    if end < NOW_MS:
        found.append(status(device, kept, end + 25_000, "goodbye"))
    return found


def status(device: str, kept: list[Kept], when: int, reason: str, *, gone: int = 0) -> Message:
    said: dict[str, Any] = {"reason": reason, "online": reason == "birth", "session": session(device, gone or when)}
    if reason != "will":
        heard = beat(device, kept, when)
        said |= {name: heard[name] for name in ("at", "boot", "uptime_s", "last_seq", "confirmed")}
    return Message(when + 300, device, "status", said=said)
