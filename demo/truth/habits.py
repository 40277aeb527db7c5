"""How households live: a table of habits and misfortunes, each with a name by which results are grouped.

They are those of which it is known that they became false accusations, and a few families that really have left.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Away(StrEnum):
    """Why nobody taps for a while, and what the estate's office is told of it."""

    NO = "no"
    TOLD = "told"
    """A leave row before it begins."""
    TOLD_LATE = "told_late"
    """A leave row some weeks after it began."""
    UNTOLD = "untold"


class Event(StrEnum):
    """What happens once to a household's papers."""

    NONE = "none"
    CARD_LOST = "card_lost"
    CARD_REPLACED = "card_replaced"
    REGISTERED_LATE = "registered_late"
    NEVER_REGISTERED = "never_registered"
    NEW_TENANT = "new_tenant"
    MOVED_OUT = "moved_out"
    HOLDER_GONE = "holder_gone"
    SUBLET_FIRST = "sublet_first"
    """The family has never lived here."""
    SUBLET_LATER = "sublet_later"
    SUBLET_COURIER = "sublet_courier"
    """Someone else lives here, and the card still comes to the machine: no rule about taps can see it."""


class Hour(StrEnum):
    """When people come."""

    OFFICE = "office"
    PRAYER = "prayer"
    NIGHT = "night"


@dataclass(frozen=True, slots=True)
class Habit:
    """One kind of household. `comes` = the share of periods in which somebody thinks of the duty."""

    name: str
    share: float
    comes: float = 0.93
    cards: int = 1
    who: str = "any"
    """Whose card is laid on: `any`, `member`, `all`."""
    elsewhere: float = 0.0
    """The share of taps made at another estate's machine."""
    tries: int = 4
    """On how many days somebody comes until the machine takes the card."""
    hour: Hour = Hour.OFFICE
    away: Away = Away.NO
    away_days: tuple[int, int] = (0, 0)
    is_mudik: bool = False
    event: Event = Event.NONE


HABITS: Final = (
    Habit("obedient, two cards", 0.13, 0.95, cards=2),
    Habit("obedient, one card", 0.12, 0.95),
    Habit("forgetful, one card", 0.06, 0.75),
    Habit("forgetful, two cards", 0.03, 0.85, cards=2),
    Habit("member taps instead of holder", 0.05, cards=2, who="member"),
    Habit("one member taps all cards", 0.03, cards=3, who="all"),
    Habit("night shift", 0.03, hour=Hour.NIGHT),
    Habit("queue after prayers", 0.03, hour=Hour.PRAYER),
    Habit("works out of town", 0.03, 0.6, cards=2),
    Habit("driver, taps anywhere", 0.03, 0.9, elsewhere=0.5),
    Habit("taps at another estate", 0.03, 0.93, elsewhere=1.0),
    Habit("bank branch when the machine is down", 0.02, 0.93, elsewhere=0.15, tries=2),
    Habit("tries once", 0.03, 0.93, tries=1),
    Habit("elderly", 0.03, 0.7),
    Habit("ship crew", 0.02, 0.9, away=Away.TOLD, away_days=(40, 70)),
    Habit("hospital, leave entered late", 0.02, away=Away.TOLD_LATE, away_days=(30, 55)),
    Habit("birth or bereavement", 0.02, away=Away.UNTOLD, away_days=(14, 24)),
    Habit("hajj", 0.015, away=Away.TOLD, away_days=(40, 40)),
    Habit("umrah", 0.015, away=Away.TOLD, away_days=(9, 12)),
    Habit("detention or shelter", 0.01, away=Away.TOLD_LATE, away_days=(45, 90)),
    Habit("relocated for repair", 0.01, away=Away.TOLD_LATE, away_days=(30, 60)),
    Habit("mudik", 0.04, is_mudik=True),
    Habit("card lost", 0.02, event=Event.CARD_LOST),
    Habit("card replaced", 0.02, event=Event.CARD_REPLACED),
    Habit("registered late", 0.02, event=Event.REGISTERED_LATE),
    Habit("never registered", 0.03, event=Event.NEVER_REGISTERED),
    Habit("new tenant", 0.02, event=Event.NEW_TENANT),
    Habit("moved out, let again", 0.02, event=Event.MOVED_OUT),
    Habit("holder died or divorced", 0.02, cards=2, event=Event.HOLDER_GONE),
    Habit("sub-let from the start", 0.015, event=Event.SUBLET_FIRST),
    Habit("sub-let later", 0.03, event=Event.SUBLET_LATER),
    Habit("sub-let, card still comes", 0.005, event=Event.SUBLET_COURIER),
)
SUBLET: Final = frozenset({Event.SUBLET_FIRST, Event.SUBLET_LATER, Event.SUBLET_COURIER})
