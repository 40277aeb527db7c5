"""Two ingesters store for one machine at the same time: the broker deals its batches to both of them."""

import threading
import uuid
from collections.abc import Iterable

from cloud.records import Connection, Records, ledger, positions
from cloud.records.verdicts import Delivery, Entry, Kept, StreamKey
from contract import codec
from contract.messages import Clock, Event
from contract.topics import DeviceId

NOW = 1_800_000_000_000
BOOT = str(uuid.UUID(int=1))
STREAM = StreamKey(DeviceId("DMG-01"), str(uuid.UUID(int=7)))
FACTS = ledger.Facts(registry_version=0, now_ms=NOW)


def delivery(seqs: Iterable[int]) -> Delivery:
    return Delivery(STREAM, 0, tuple(entry(seq) for seq in seqs))


def entry(seq: int) -> Entry:
    record = Event(seq=seq, at=NOW, mono=seq, boot=BOOT, clock=Clock.TRUSTED, event="self_test", detail={})
    received = codec.decode_record(codec.body(record))
    assert isinstance(received, codec.Received)
    return Entry(received, Kept(NOW), NOW)


def test_what_both_store_at_once_is_all_in_the_position(records: Records) -> None:
    """Read before the other has committed and written after it, a position would forget what the other stored."""
    records.write(lambda connection: ledger.take(connection, [delivery([1])], facts=FACTS))
    has_taken, is_through = threading.Event(), threading.Event()

    def first(connection: Connection) -> None:
        ledger.take(connection, [delivery(range(2, 11))], facts=FACTS)
        has_taken.set()
        is_through.wait(0.5)  # the other one either waits for this commit or has read the position already

    def second() -> None:
        has_taken.wait(10)
        records.write(lambda connection: ledger.take(connection, [delivery(range(11, 21))], facts=FACTS))
        is_through.set()

    other = threading.Thread(target=second)
    other.start()
    records.write(first)
    other.join(20)
    (position,) = records.read(lambda connection: positions.read(connection, [STREAM])).values()
    assert position.answered.spans == ((1, 20),)
    stored = records.read(lambda db: db.exec_driver_sql("SELECT count(*) FROM arrivals").scalar_one())
    assert stored == 20
