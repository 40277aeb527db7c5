"""The alert worker beside the ingester: each of its rounds at an instant of the story, over the same records."""

from itertools import count

import month_story as story

from cloud.alerts import acting, policy, reporting, running
from cloud.alerts.outages import PathFacts
from cloud.alerts.service import Outside, Service
from cloud.history import History
from cloud.records import Connection, Records, silences
from cloud.records.silences import SilenceRow

POLICY = f"""
version = "2026-1"

[path]
wide_share = 0.75 # one estate of this small city would be half of it

[[amendment]]
effective = {story.AMENDED[0].isoformat()}
version = "{story.AMENDED[1]}"
"""


class Worker:
    """All rules of the live system; the broker always answers it, its messages reach whom they should."""

    def __init__(self, records: Records, history: History) -> None:
        self.records, self.history, self.now_ms = records, history, 0
        self._policies = policy.parse(POLICY)
        self.start()

    def silence(self) -> None:
        """What somebody asked for long before."""
        estate, begin, end = story.SILENCED
        wanted = SilenceRow("", estate, "", begin, end, "gedung direnovasi", "noc")
        self.records.write(lambda connection: silences.add(connection, wanted))

    def start(self) -> None:
        """Make it anew, as a restart of the program."""
        self._readings = count()
        outside = Outside(self.history, lambda: self.now_ms, elapsed_s=self._elapsed_s)
        duties = running.duties(self._path)
        self._service = Service(
            self.records, self._policies, duties, outside=outside, read=reporting.read, instance="alerts-1"
        )

    async def turn(self, now_ms: int) -> None:
        """One round, after what people did."""
        if now_ms == story.WORKER_RESTARTED:
            self.start()
        self.now_ms = now_ms
        if now_ms == story.TAKEN[1]:
            self._take()
        assert await self._service.cycle()

    def _take(self) -> None:
        device, now_ms, lasting = story.TAKEN
        flags = self.records.read(acting.opened)
        number = next(flag.number for flag in flags if flag.subject == device and flag.kind == "DEVICE_OFFLINE")
        acting.Desk(self.records, "noc", now_ms).acknowledge(str(number), expiry_h=lasting // story.HOUR)

    def _path(self, connection: Connection, now_ms: int) -> PathFacts:
        return PathFacts(watching_since_ms=story.START, canary_ms=now_ms)

    def _elapsed_s(self) -> float:
        """Read before and after a round: as long as the story says, between."""
        return next(self._readings) % 2 * story.round_ms(self.now_ms) / 1000
