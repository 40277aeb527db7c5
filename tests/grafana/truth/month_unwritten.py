"""Flags, the estates' events and the alert worker's stage: the worker wrote them while the month went by."""

import month_flags
import month_story
from month_truth import Month
from synthetic_city import City

from cloud.history import History
from cloud.records import Records


async def write(records: Records, history: History) -> None:
    """Nothing is left to be written: month_worker.py lived the month beside ingest, over these records."""


def add(city: City) -> None:
    """Add what must be there of `flag`, `estate_event` and the stage `alerts` of `pipeline`: from the story alone."""
    month_flags.write(Month(month_story.tell(), city))
