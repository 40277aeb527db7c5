"""Which (estate, local day) pairs a change of the registry touches, so that their roll-ups are written again. Pure.

Days before an estate went live, and days to come, have no roll-ups and are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, TypeAlias

from cloud.records.counts import local_day
from contract.ranges import Ranges
from provisioning.registry.planning import Change, Plan, Registry, Values

Span: TypeAlias = tuple[date, date]
"""Days, both included."""

_DAY: Final = timedelta(days=1)
_FROM: Final = {"tenancies": "start", "cards": "valid_from", "installations": "installed_ms"}
_TO: Final = {"tenancies": "end", "cards": "valid_to", "installations": "removed_ms"}
_END_ONLY: Final = {
    "tenancies": {"end"},
    "cards": {"valid_to", "ended_because"},
    "installations": {"removed_ms"},
    "calendar": {"to_day"},
    "leave": {"to_day"},
    "declared_lost": {"to_day"},
}
"""Where nothing else changed, only the days between the old end and the new one are touched."""


def days(plan: Plan, *, today: date) -> set[tuple[str, date]]:
    """The pairs that *plan* touches."""
    spans: dict[str, set[Span]] = {}
    for estate, span in _spans(plan):
        spans.setdefault(estate, set()).add(span)
    live = {str(row["estate"]): _day(row["go_live"]) for row in plan.registry["estates"]}
    return {(estate, day) for estate, those in spans.items() for day in _each(those, since=live[estate], until=today)}


def _each(spans: Iterable[Span], *, since: date, until: date) -> Iterator[date]:
    """The days of *spans* from *since* to *until*, each once: ten thousand cards share most of theirs."""
    cut = ((max(first, since).toordinal(), min(last, until).toordinal()) for first, last in spans)
    for ordinal in Ranges.of((first, last) for first, last in cut if first <= last):
        yield date.fromordinal(ordinal)


def _spans(plan: Plan) -> Iterator[tuple[str, Span]]:
    homes = {row["unit"]: str(row["estate"]) for row in plan.registry["units"]}
    for change in plan.changes:
        if change.table in ("estates", "units"):
            yield from _live(change)
            continue
        for row, span in _moved(change):
            for estate in _estates(row, homes, plan.registry):
                yield estate, span


def _live(change: Change) -> Iterator[tuple[str, Span]]:
    """An estate whose first day moved: the days between, which were or now are outside."""
    if change.table == "estates" and change.before and change.before["go_live"] != change.after["go_live"]:
        yield str(change.after["estate"]), _between(_day(change.before["go_live"]), _day(change.after["go_live"]))


def _moved(change: Change) -> list[tuple[Values, Span]]:
    after = (change.after, _span(change.table, change.after))
    if change.before is None:
        return [after]
    before = (change.before, _span(change.table, change.before))
    altered = {name for name, value in change.after.items() if change.before[name] != value}
    if altered <= _END_ONLY[change.table]:
        return [(change.after, _between(before[1][1], after[1][1]))] if before[1] != after[1] else []
    return [before, after]


def _span(table: str, row: Values) -> Span:
    end = row[_TO.get(table, "to_day")]
    return _day(row[_FROM.get(table, "from_day")]), date.max - _DAY if end is None else _day(end)


def _between(one: date, other: date) -> Span:
    return min(one, other), max(one, other)


def _day(value: object) -> date:
    return value if isinstance(value, date) else local_day(int(str(value)))


def _estates(row: Values, homes: dict[object, str], registry: Registry) -> Iterable[str]:
    """The estates whose numbers the row has a part in."""
    if "estate" in row:
        return [str(row["estate"])]
    if "scope" in row:
        return [str(each["estate"]) for each in registry["estates"]] if row["scope"] == "*" else [str(row["scope"])]
    if "device" in row:
        return _stations(row["device"], registry["installations"])
    return [homes[row["unit"]]] if row["unit"] in homes else []  # a test card is nobody's


def _stations(device: object, installations: Sequence[Values]) -> set[str]:
    return {str(place["estate"]) for place in installations if place["device"] == device}
