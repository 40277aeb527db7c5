"""From SQL to a `Situation`: who stands where, what was last heard of each, what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from cloud import days
from cloud.alerts.findings import Standing
from cloud.alerts.kinds import Kind
from cloud.alerts.outages import reads
from cloud.alerts.outages.situation import NO_SIGNS, Listening, Machine, Reads, Situation, Tried
from cloud.alerts.policy import Policies, Policy
from cloud.records import Connection, heard, marks, path_facts, signs, standing
from cloud.records.heard import Heard
from cloud.records.registry import Installation
from contract import codec
from contract.codec import BadMessage
from contract.messages import Heartbeat
from contract.topics import DeviceId

QUIET_MS: Final = days.HOUR
"""A reader that has read something since is not looked at."""
READS_BACK_MS: Final = 28 * days.DAY
"""For no longer than this are the expected reads of a quiet reader counted."""
LIKE: Final = [number * reads.WEEK for number in range(1, reads.LIKE_WEEKS + 1)]


def look(connection: Connection, policies: Policies, /, *, now_ms: int, standing: Standing, is_live: bool) -> Situation:
    """The situation at *now_ms*, as SQL shows it. Not *is_live* = a replay: somebody listens until now."""
    machines = tuple(_machines(connection, policies, now_ms))
    since_ms, until_ms = (marks.read(connection, name) for name in (marks.LISTENING_SINCE, marks.LISTENING_UNTIL))
    return Situation(
        now_ms,
        machines,
        Listening(since_ms, until_ms if is_live else now_ms),
        policies_now(policies, {machine.estate for machine in machines}, now_ms),
        standing,
    )


def policies_now(policies: Policies, estates: Iterable[str], now_ms: int) -> dict[str, Policy]:
    """By estate, the policy in force; that of the city is under the empty name."""
    today = days.day_of(now_ms)
    return {estate: policies.at(today, estate) for estate in ("", *estates)}


def _machines(connection: Connection, policies: Policies, now_ms: int) -> Iterator[Machine]:
    flap = policies.at(days.day_of(now_ms)).flap
    remembered = signs.remembered(connection, since_ms=now_ms - flap.slots * flap.slot_min * days.MINUTE - days.DAY)
    life = {each.device: each for each in heard.all_heard(connection)}
    tests = path_facts.last_tests(connection, now_ms=now_ms)
    for place in standing.installed_at(connection, now_ms):
        machine = _machine(place, life.get(place.device))
        tried = tests.get(place.device)
        yield replace(
            machine,
            signs=remembered.get(place.device, NO_SIGNS),
            tried=Tried(*tried) if tried is not None and tried[0] >= place.installed_ms else None,
        )


def _machine(place: Installation, life: Heard | None) -> Machine:
    if life is None:
        return Machine(place.device, place.estate, place.installed_ms)
    return Machine(
        place.device,
        place.estate,
        place.installed_ms,
        heard_ms=life.arrived_ms or None,
        heartbeat=_heartbeat(place.device, life.heartbeat),
        beat_ms=life.beat_ms,
        gone_ms=None if life.online else life.status_ms,
    )


def _heartbeat(device: str, text: str | None) -> Heartbeat | None:
    if text is None:
        return None
    try:
        return codec.decode(text.encode(), Heartbeat, device=DeviceId(device))
    except BadMessage:
        return None  # kept by another version of this program


# ---- readers that read nothing ---------------------------------------------------------------------------------------


def with_reads(connection: Connection, situation: Situation) -> Situation:
    """*situation*, with what was to be expected of the readers that have read nothing for a while."""
    last = path_facts.last_reads(connection, [machine.device for machine in situation.machines])
    quiet = [
        machine
        for machine in situation.machines
        if machine.heartbeat is not None and situation.now_ms - last.get(machine.device, 0) > QUIET_MS
    ]
    found: dict[str, Reads] = {}
    for alike in _begun_alike(quiet, last, situation.now_ms):
        found |= _expected(connection, situation, alike, last)
    machines = tuple(replace(each, reads=found.get(each.device)) for each in situation.machines)
    return replace(situation, machines=machines)


def _begins(machine: Machine, last: Mapping[str, int], now_ms: int) -> int:
    return max(last.get(machine.device, 0), machine.installed_ms, now_ms - READS_BACK_MS)


def _begun_alike(quiet: Sequence[Machine], last: Mapping[str, int], now_ms: int) -> list[list[Machine]]:
    """Machines that have been quiet since the same day, so that one long silence costs no reading for the others."""
    found: dict[object, list[Machine]] = {}
    for machine in quiet:
        found.setdefault(days.day_of(_begins(machine, last, now_ms)), []).append(machine)
    return list(found.values())


def _expected(
    connection: Connection, situation: Situation, machines: Sequence[Machine], last: Mapping[str, int]
) -> dict[str, Reads]:
    """What is expected of *machines*. One whose flag stands needs no new count: only a read ends it."""
    now_ms = situation.now_ms
    silent = [each for each in machines if not _is_known_deaf(situation, each, last)]
    begin_ms = min((_begins(each, last, now_ms) for each in machines), default=now_ms)
    spans = [(begin_ms - back, now_ms - back) for back in LIKE]
    names = [each.device for each in silent]
    counted = path_facts.counted(connection, names, spans=spans) if names else {}
    able = path_facts.able_minutes(connection, names, (begin_ms, now_ms)) if names else {}
    free = path_facts.free_days(connection, sorted({each.estate for each in silent}))
    found = {each.device: Reads(last.get(each.device), 0.0) for each in machines}
    for each in silent:
        past = reads.Past(each.installed_ms, counted.get(each.device, {}), able.get(each.device, {}))
        unsent_ms = each.heartbeat.oldest_unsent if each.heartbeat is not None else None
        amount = reads.expected(
            past,
            _begins(each, last, now_ms),
            min(now_ms, unsent_ms if unsent_ms is not None else now_ms),
            is_free=partial(days.covers, free[each.estate]),
        )
        found[each.device] = Reads(last.get(each.device), amount)
    return found


def _is_known_deaf(situation: Situation, machine: Machine, last: Mapping[str, int]) -> bool:
    flag = situation.stands(Kind.READER_FAULT, machine.device)
    return flag is not None and flag.evidence.get("last_ms", -1) == last.get(machine.device)
