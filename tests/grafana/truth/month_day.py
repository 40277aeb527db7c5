"""One estate on one day, and in one month."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Any

import month_story as story
from month_calendar import QUARTER, day_of, hours, is_closed, midnight, served
from month_story import DAY, Unit

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


class Facts:
    """One day of an estate."""

    def __init__(self, month: Any, estate: str, day: date) -> None:
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
