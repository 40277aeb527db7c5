"""A server's clock that was ahead and is set back: what it wrote of the future binds nobody."""

import pytest

from cloud.records import Connection, Records, heard, leases
from cloud.records.heard import SKEW_MS, Beat
from contract.messages import Heartbeat, Status
from contract.topics import DeviceId

DAY = 86_400_000
NOW = 1000 * DAY
DEVICE = DeviceId("DMG-01")
UUID = "11111111-1111-4111-8111-111111111111"


def beat(arrived_ms: int) -> Beat:
    made = Heartbeat(
        device=DEVICE, at=0, boot=UUID, session=1, uptime_s=10, outbox=UUID, last_seq=0, confirmed=0, backlog=0,
        reader="ok", clock="trusted", disk_free_pct=1.0, version="1"
    )  # fmt: skip
    return Beat(made, "{}", arrived_ms)


def birth(connection: Connection, arrived_ms: int) -> None:
    said = Status(
        device=DEVICE, online=True, session=1, reason="birth", boot=UUID, uptime_s=1, outbox=UUID, last_seq=0,
        confirmed=0
    )  # fmt: skip
    heard.take_status(connection, said, arrived_ms=arrived_ms, is_retained=False)


@pytest.mark.parametrize(("ahead", "expected"), [(SKEW_MS, NOW + SKEW_MS), (DAY, NOW)], ids=["skew", "a mistake"])
def test_a_machine_is_heard_again_at_once(records: Records, ahead: int, expected: int) -> None:
    records.write(lambda c: heard.take_beats(c, [beat(NOW + ahead)], now_ms=NOW + ahead))
    records.write(lambda c: heard.take_beats(c, [beat(NOW)], now_ms=NOW))
    assert records.read(heard.all_heard)[0].arrived_ms == expected


def test_a_birth_is_heard_again_at_once(records: Records) -> None:
    records.write(lambda c: birth(c, NOW + DAY))
    records.write(lambda c: birth(c, NOW))
    assert records.read(heard.all_heard)[0].arrived_ms == NOW


def take(records: Records, holder: str, now_ms: int) -> bool:
    return records.write(lambda c: leases.take(c, "chores", holder=holder, now_ms=now_ms, until_ms=now_ms + 30_000))


def test_a_lease_is_one_holder_s_until_it_runs_out(records: Records) -> None:
    assert take(records, "a", NOW)
    assert not take(records, "b", NOW + 29_999)
    assert take(records, "a", NOW + 29_999)
    assert not take(records, "b", NOW + 30_000)
    assert take(records, "b", NOW + 59_999)


def test_a_lease_from_the_future_is_free_but_not_one_of_a_clock_a_little_ahead(records: Records) -> None:
    assert take(records, "a", NOW + 20_000)
    assert not take(records, "b", NOW)
    assert take(records, "a", NOW + DAY)
    assert take(records, "b", NOW)
