"""The rows of the loss table, in its order."""

from typing import Final

from bench.chaos.scenarios import access, clocks, disk, pipe, poison, power, readers, registry, restored, stores
from bench.chaos.stage import Row

ROWS: Final = (
    Row("nothing", "nothing", "a tap is shown only once it is on the disk, and counted once", pipe.nothing),
    Row(
        "broker-killed",
        "broker kill -9, no persistence",
        "only `stored` confirms, a PUBACK never does",
        pipe.broker_killed,
    ),
    Row("ingester-killed", "ingester kill -9", "`stored` is said after both writes", pipe.ingester_killed),
    Row("both-killed", "broker and ingester kill -9 at once", "what is unanswered is sent again", pipe.both_killed),
    Row(
        "two-ingesters",
        "two ingesters, one kill -9",
        "what one ingester took and never answered goes to the other",
        pipe.one_of_two_killed,
    ),
    Row("influxdb-down", "InfluxDB killed, then only its engine", "history first, SQL second", stores.history_down),
    Row("postgres-stopped", "PostgreSQL stopped, killed", "no answer while SQL is away", stores.postgres_stopped),
    Row("sqlite-locked", "SQLite locked by others", "`stored` waits as long as a lock lasts", stores.sqlite_locked),
    Row(
        "half-open",
        "half-open TCP, packets dropped",
        "an answer missing after the keepalive ends the connection",
        pipe.half_open,
        in_namespaces=True,
        slow=True,
    ),
    Row("commit-killed", "machine kill -9 in a commit", "the light comes after the commit", disk.killed_in_commit),
    Row("power-cut", "power cut, disk rebuilt", "`synchronous=FULL`", power.power_cut),
    Row(
        "rolled-back",
        "outbox from an older disk image",
        "a digest per record: other bytes under a known seq are a conflict",
        disk.rolled_back,
    ),
    Row(
        "rolled-back-unsent",
        "older disk image, taps nobody else had",
        "a position above its own highest seq closes the outbox",
        disk.rolled_back_unsent,
        destroys_unsent=True,
        slow=True,
    ),
    Row("corrupt", "outbox damaged", "a damaged file is set aside, its readable rows are sent", disk.corrupted),
    Row(
        "corrupt-unsent",
        "outbox damaged, taps nobody else had",
        "what is gone is declared: `outbox_closed`, `records_dropped`",
        disk.corrupted_unsent,
        destroys_unsent=True,
        slow=True,
    ),
    Row("disk-full", "disk full (small tmpfs)", "reserve and row budget; refusals are reported",
        disk.disk_full, in_namespaces=True),
    Row("clock-1970", "clock at 1970, then set", "unsent rows of this boot are re-dated", clocks.clock_at_1970),
    Row(
        "clock-saved",
        "saved clock 9 days back",
        "an undated tap is an interval between its dated neighbours",
        clocks.saved_clock_behind,
    ),
    Row("clock-stepped", "clock stepped back an hour", "a clock never set is not believed", clocks.clock_stepped_back),
    Row("poison", "poison among good records", "an unreadable record is answered by its seq", poison.poison_records),
    Row(
        "oversized",
        "batch above the packet limit",
        "a batch that nobody answers is halved, a lone record parked",
        poison.oversized_batch,
        slow=True,
    ),
    Row("revoked", "certificate revoked, renewed", "each connection reads its certificate", access.certificate_revoked),
    Row("crl-expired", "revocation list expired", "a connection is tried for ever", access.revocations_expired),
    Row("replayed", "outbox replayed twice", "(device, outbox, seq) is unique", restored.replayed_twice),
    Row(
        "restored",
        "cloud restored from an older backup, machines connected",
        "`resume` asks for what was confirmed and is lost",
        restored.while_connected,
    ),
    Row(
        "restored-later",
        "the same, machines reconnect first",
        "heartbeats carry `confirmed`, not only births",
        restored.reconnected_first,
    ),
    Row("moved", "machine moved with a backlog", "the estate is that of the tap's time", registry.machine_moved),
    Row(
        "registry",
        "cards and a place corrected between two sends",
        "outcome and estate are no part of a point's key; a sweep follows each change",
        registry.changed_between_sends,
    ),
    Row("key-rotated", "sealing key rotated during a backlog", "an unknown key holds a tap", registry.key_rotated),
    Row(
        "readers",
        "pcscd restarted and killed, cards torn away",
        "the reader's connection is built anew, never monitored by others",
        readers.readers_broken,
        slow=True,
    ),
)  # fmt: skip
