"""Path rules: whether machines, their network, the broker, ingest and our own messages work.

`judge` is the shell; the rules below it are pure functions of a `Situation`. Of an estate with exactly one machine only
the machine is said to be offline. What explains what is a table (`roots`).
"""

from cloud.alerts.outages.judging import HOURLY, judge
from cloud.alerts.outages.situation import Failing, Listening, Machine, PathFacts, Situation
from cloud.alerts.outages.topology import roots

__all__ = ["HOURLY", "Failing", "Listening", "Machine", "PathFacts", "Situation", "judge", "roots"]
