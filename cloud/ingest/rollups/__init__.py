"""Roll-ups: a dirty (estate, day) rewritten from what SQL counts. Pure; every function gives all points of its subject.

Whatever arrived late, the same call gives the right points again. Times are ms, days are dates in Jakarta.
"""

from cloud.ingest.rollups.attendance import DayFacts, DayFigures, alike, attendance_day, attendance_month, figures
from cloud.ingest.rollups.taps import Counted, Pattern, tap_15m, tap_hour
from cloud.ingest.rollups.work import MachineFacts, machine_day

__all__ = [
    "Counted",
    "DayFacts",
    "DayFigures",
    "MachineFacts",
    "Pattern",
    "alike",
    "attendance_day",
    "attendance_month",
    "figures",
    "machine_day",
    "tap_15m",
    "tap_hour",
]
