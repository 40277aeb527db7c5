"""How far a machine's record is complete, how many minutes it could take a tap, and whether a day counts for a unit.

Rules 1 to 3 of the absence clock, pure. Whoever calls gives the facts that had arrived or were known at the instant he
judges by. Instants are ms since 1970 UTC, days are dates in Jakarta, minutes are exact fractions.
"""

from cloud.days.able import HourRecord, Machine, Stay, able_by_hour, within_service
from cloud.days.counted import (
    Card,
    Estate,
    EstateDay,
    Household,
    Policy,
    Reason,
    Tenancy,
    estate_day,
    reason,
)
from cloud.days.jakarta import (
    DAY,
    HOUR,
    LIKE_WEEKS,
    MINUTE,
    DaySpan,
    Span,
    covers,
    day_of,
    hours_of,
    like_days_after,
    merged,
    span_of,
    starts,
)
from cloud.days.service import ALWAYS, BadServiceHours, ServiceHours
from cloud.days.watermark import SETTLING, Gap, Outbox, Proof, complete, is_settled

__all__ = [
    "ALWAYS",
    "DAY",
    "HOUR",
    "LIKE_WEEKS",
    "MINUTE",
    "SETTLING",
    "BadServiceHours",
    "Card",
    "DaySpan",
    "Estate",
    "EstateDay",
    "Gap",
    "HourRecord",
    "Household",
    "Machine",
    "Outbox",
    "Policy",
    "Proof",
    "Reason",
    "ServiceHours",
    "Span",
    "Stay",
    "Tenancy",
    "able_by_hour",
    "complete",
    "covers",
    "day_of",
    "estate_day",
    "hours_of",
    "is_settled",
    "like_days_after",
    "merged",
    "reason",
    "span_of",
    "starts",
    "within_service",
]
