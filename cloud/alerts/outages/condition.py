"""How a machine says it is: clock, disk, queue, reader. Pure.

What it last said is believed while it is heard; a flag that stands goes on with the last word of a machine that has
fallen silent since, for silence heals nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from statistics import median
from typing import Final

from cloud import days
from cloud.alerts.findings import Finding
from cloud.alerts.kinds import Kind, Severity
from cloud.alerts.outages.situation import Machine, Situation
from contract.messages import Heartbeat

READINGS_MS: Final = 10 * days.MINUTE
"""Clock readings older than this, before the last, say nothing of the clock now."""
DRAIN_MS: Final = days.HOUR
"""A machine that is back works off its queue; what is old in it is no fault before so long."""
TREND_MS: Final = days.DAY
"""A forecast of the disk needs readings so far apart."""


def _speaking(situation: Situation, kind: Kind) -> Iterator[tuple[Machine, Heartbeat]]:
    for machine in situation.machines:
        stands = situation.stands(kind, machine.device) is not None
        if machine.heartbeat is not None and (stands or situation.is_fresh(machine)):
            yield machine, machine.heartbeat


# ---- clock -----------------------------------------------------------------------------------------------------------


def clock_skew(situation: Situation) -> Iterator[Finding]:
    """Clocks that are wrong by the median of the last heartbeats, or have not been synchronised for too long."""
    for machine, beat in _speaking(situation, Kind.CLOCK_SKEW):
        clock = situation.policy(machine.estate).clock
        stands = situation.stands(Kind.CLOCK_SKEW, machine.device) is not None
        offsets = _recent(machine, beat)
        offset_ms = round(median(offsets))
        is_wrong = abs(offset_ms) > 1000 * (clock.warn_s if stands else clock.flag_s)
        is_untrusted = beat.clock == "untrusted" and beat.uptime_s > clock.untrusted_s
        if is_wrong or is_untrusted:
            evidence = {
                "offset_ms": offset_ms,
                "heartbeats": len(offsets),
                "clock": beat.clock,
                "uptime_s": beat.uptime_s,
            }
            yield Finding(Kind.CLOCK_SKEW, machine.device, machine.estate, _said_ms(machine, situation), evidence)


def _recent(machine: Machine, beat: Heartbeat) -> Sequence[int]:
    readings = machine.signs.offsets_ms
    if not readings:
        told = beat.clock_offset_ms
        return [told if told is not None else beat.at - (machine.beat_ms or machine.heard_ms or beat.at)]
    return [offset for at_ms, offset in readings if readings[-1][0] - at_ms <= READINGS_MS]


# ---- disk ------------------------------------------------------------------------------------------------------------


def storage_low(situation: Situation) -> Iterator[Finding]:
    """Disks that are filling up. P1 when taps are refused, or soon will be."""
    for machine, beat in _speaking(situation, Kind.STORAGE_LOW):
        storage = situation.policy(machine.estate).storage
        stands = situation.stands(Kind.STORAGE_LOW, machine.device) is not None
        free = Fraction(str(beat.disk_free_pct)) / 100
        left_h = hours_left(machine.signs.free_pct) if free < storage.clear else None
        is_filling = left_h is not None and left_h < storage.forecast_h
        is_refusing = beat.refused > 0 and (free < storage.clear or _queue_ms(machine, beat) > days.HOUR)
        is_low = free < (storage.clear if stands else storage.low)
        if is_low or is_filling or is_refusing:
            evidence = {"free_pct": beat.disk_free_pct, "refused": beat.refused, "hours_left": left_h}
            severity = Severity.P1 if is_refusing or free < storage.critical else Severity.P2
            yield Finding(
                Kind.STORAGE_LOW,
                machine.device,
                machine.estate,
                _said_ms(machine, situation),
                evidence,
                severity=severity,
            )


def hours_left(readings: Sequence[tuple[int, float]]) -> int | None:
    """In how many hours the disk is full if it goes on as from the first to the last reading; None = not to be told."""
    if len(readings) < 2:
        return None
    (first_ms, first), (last_ms, last) = readings[0], readings[-1]
    if last_ms - first_ms < TREND_MS or last >= first:
        return None
    return int(last / (first - last) * (last_ms - first_ms) / days.HOUR)


# ---- queue -----------------------------------------------------------------------------------------------------------


def queue_stuck(situation: Situation) -> Iterator[Finding]:
    """Machines that are heard, and yet do not get rid of a record."""
    for machine, beat in _speaking(situation, Kind.QUEUE_STUCK):
        age_ms = _queue_ms(machine, beat)
        patience_ms = situation.policy(machine.estate).path.queue_stuck_h * days.HOUR
        if age_ms > patience_ms and _is_long_back(machine):
            evidence = {
                "oldest_unsent_ms": beat.oldest_unsent,
                "backlog": beat.backlog,
                "parked": beat.parked,
                "rejected": beat.rejected,
            }
            since_ms = _said_ms(machine, situation) - age_ms
            yield Finding(Kind.QUEUE_STUCK, machine.device, machine.estate, since_ms, evidence)


def _queue_ms(machine: Machine, beat: Heartbeat) -> int:
    """How old its oldest unsent record is, at least: by its own clock or ours, whichever says less."""
    if beat.oldest_unsent is None:
        return 0
    return max(0, min(beat.at, machine.beat_ms or beat.at) - beat.oldest_unsent)


def _is_long_back(machine: Machine) -> bool:
    lapses = machine.signs.lapses
    return not lapses or machine.beat_ms is None or machine.beat_ms - lapses[-1].until_ms >= DRAIN_MS


# ---- reader ----------------------------------------------------------------------------------------------------------


def reader_fault(situation: Situation) -> Iterator[Finding]:
    """Readers that fail, by the machine's own word or by a failed self-test; or read nothing where many were expected.

    A machine whose reader is dead takes no taps, as one that is offline: the same patience.
    """
    for machine, beat in _speaking(situation, Kind.READER_FAULT):
        since_ms, evidence = _failing(situation, machine, beat) or _untried(machine) or _deaf(situation, machine)
        if evidence:
            yield Finding(Kind.READER_FAULT, machine.device, machine.estate, since_ms, evidence)


Reason = tuple[int, dict[str, object]]


def _failing(situation: Situation, machine: Machine, beat: Heartbeat) -> Reason | None:
    since_ms, stands = machine.signs.fault_since_ms, situation.stands(Kind.READER_FAULT, machine.device) is not None
    if beat.reader == "ok" or since_ms is None:
        return None
    is_long = situation.now_ms - since_ms > situation.patience_ms(machine.estate)
    return (since_ms, {"cause": "fault", "fault_since_ms": since_ms}) if is_long or stands else None


def _untried(machine: Machine) -> Reason | None:
    tried = machine.tried
    if tried is None or tried.is_good:
        return None
    return tried.at_ms, {"cause": "self_test", "tested_ms": tried.at_ms}


_LAST_TAP_STEP_MS: Final = 6 * days.HOUR
"""When somebody last tapped is shown in no finer steps."""


def _deaf(situation: Situation, machine: Machine) -> Reason:
    reads, flag = machine.reads, situation.stands(Kind.READER_FAULT, machine.device)
    if reads is None:
        return 0, {}
    since_ms = reads.last_ms if reads.last_ms is not None else machine.installed_ms
    # What is told aloud must not be the minute of a tap.
    since_ms -= (since_ms - days.starts(days.day_of(since_ms))) % _LAST_TAP_STEP_MS
    if flag is not None and flag.evidence.get("cause") == "no_reads" and flag.evidence.get("last_ms") == reads.last_ms:
        return flag.since_ms, dict(flag.evidence)
    if Fraction(str(reads.expected)) < situation.policy(machine.estate).reader.expected_reads:
        return 0, {}
    return since_ms, {"cause": "no_reads", "last_ms": reads.last_ms, "expected": round(reads.expected, 1)}


def _said_ms(machine: Machine, situation: Situation) -> int:
    return machine.beat_ms if machine.beat_ms is not None else situation.now_ms
