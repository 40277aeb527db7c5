"""What the cloud knows, read from SQL as a console would: machines online, taps stored, what machines know of them."""

from dataclasses import dataclass

from cloud.ingest.points import STALE_AFTER_MS
from cloud.records import Connection, Records, audit, heard
from contract.topics import DeviceId
from demo.closing import Sighting


@dataclass(frozen=True, slots=True)
class Seen:
    """One look. Counts are of the streams that began with the demo."""

    online: frozenset[DeviceId]
    stored: int
    confirmed: dict[DeviceId, int]


def look(records: Records, *, since_ms: int, now_ms: int) -> Seen:
    """The city as the cloud sees it at *now_ms*."""

    def work(connection: Connection) -> Seen:
        return Seen(
            online=frozenset(
                DeviceId(machine.device)
                for machine in heard.all_heard(connection)
                if machine.online and now_ms - machine.arrived_ms <= STALE_AFTER_MS
            ),
            stored=sum(audit.stored_counts(connection, since_ms).values()),
            confirmed={told.device: told.confirmed for told in audit.new_since(connection, since_ms)},
        )

    return records.read(work)


def sightings(records: Records, *, since_ms: int) -> list[Sighting]:
    """Every tap that SQL holds of the streams that began with the demo."""
    found = records.read(lambda connection: audit.stored_since(connection, since_ms))
    return [Sighting(tap.device, tap.seq, tap.pseudonym, tap.at_ms, tap.uncertainty_ms) for tap in found]
