"""Who has not tapped for too long: the absence clock (periods, verdicts, runs), its mass gate, and registration.

Pure but for `judging` and what it reads by (`city`, `estate_days`). The words the rules follow are in docs/replay.md.
"""

from cloud.alerts.absence.evidence import RULE
from cloud.alerts.absence.judging import judge
from cloud.alerts.absence.memory import Memory

__all__ = ["RULE", "Memory", "judge"]
