"""Real outboxes against real ingest, and every accident between them that Hypothesis can think of.

Batches and answers lost, late, doubled, out of order; restarts, disks that forget, full disks, wrong clocks set right;
a cloud restored from a backup, two ingesters at once, a registry that is corrected. At the end every tap that was kept
is stored once, with its time, its estate and its outcome, and everything counted agrees.
"""

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cloud.ingest.opening import Opener
from cloud.ingest.requests import Incoming
from cloud.ingest.store import Store
from cloud.ingest.sweep import Sweep
from cloud.records import counts, migrate, open_records, registry
from cloud.records.heard import Beat
from cloud.records.pseudonyms import Pepper
from cloud.records.schema import cards, estates, installations, units
from contract import codec
from contract.cards import Keyring, OpeningKey
from contract.messages import Clock, Envelope, Heartbeat, Hours, Stored, Tap
from contract.ranges import Ranges
from contract.topics import DeviceId
from edge.dating import Stamp
from edge.outbox import Limits, NotKept, OutboxUnavailable, open_outbox

KEY = OpeningKey.generate("k1")
PEPPER = Pepper(b"p" * 32)
DEVICES = [DeviceId("DMG-01"), DeviceId("DMG-02"), DeviceId("PSK-01")]
START = 1_772_500_000_000  # in the evening of a day in Jakarta, so that midnight comes within a run
HOUR, DAY = 3_600_000, 86_400_000
FEW_PAGES, MANY_PAGES = 1, 2**30


class NoHistory:
    """The points are the business of other tests."""

    trouble = None

    async def write(self, points):
        return []


class Machine:
    """One device: its outbox, and the truth about every tap it said it kept."""

    def __init__(self, device, folder, time):
        self.device, self.time = device, time
        self.path = folder / f"{device}.db"
        self.limits = Limits(row_budget=400, reserve_bytes=0, keep_ms=35 * DAY)
        self.boots = 0
        self.is_trusted = True
        self.image = None
        self.boot_up()

    def boot_up(self):
        self.boots += 1
        self.boot = f"{DEVICES.index(self.device):08x}-{self.boots:04x}-4000-8000-000000000000"
        self.booted_ms = self.time.ms
        self.outbox = open_outbox(self.path, self.limits, self.stamp())

    def stamp(self):
        self.time.ms += 1000
        mono = self.time.ms - self.booted_ms
        if self.is_trusted:
            return Stamp(self.time.ms, mono, self.boot, Clock.TRUSTED)
        return Stamp(mono, mono, self.boot, Clock.UNTRUSTED)

    def batches(self, count):
        """The oldest rows, as they would go out now."""
        rows = self.outbox.oldest(count, boot=self.boot, patient_after=2**50)
        for outbox in dict.fromkeys(row.outbox for row in rows):
            texts = self.outbox.freeze(outbox, [row.seq for row in rows if row.outbox == outbox])
            envelope = Envelope(device=self.device, outbox=outbox, confirmed=self.outbox.confirmed(outbox))
            yield codec.encode_batch(envelope, texts)

    def hear(self, message):
        if isinstance(message, Stored):
            self.outbox.settle(message, self.stamp())
        else:
            self.outbox.resume(message, self.stamp())

    def heartbeat(self):
        position, now = self.outbox.position(), self.stamp()
        beat = Heartbeat(
            device=self.device, at=now.at, boot=self.boot, session=1, uptime_s=now.mono // 1000, outbox=position.outbox,
            last_seq=position.last_seq, confirmed=position.confirmed, backlog=0, reader="ok", clock="trusted",
            disk_free_pct=50, version="1",
        )  # fmt: skip
        return Beat(beat, codec.encode(beat).decode(), self.time.ms)


class Time:
    """What time it really is."""

    ms = START

    def __call__(self):
        return datetime.fromtimestamp(self.ms / 1000, UTC)


class BothEnds(RuleBasedStateMachine):
    """Three machines, two ingesters on one database, and everything that happens between them."""

    template: Path

    def __init__(self):
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="both-ends-", dir=memory if memory.is_dir() else None))
        self.time = Time()
        self.taps = {}
        self.lost_by_disk = set()
        self.images = {}
        self.registered = set()
        self.estates = {device: device.partition("-")[0] for device in DEVICES}
        self.up, self.down = [], []
        self.seen = {}
        self.backup = None
        self.has_forgotten = False
        self.is_over = False

    @initialize()
    def begin(self):
        self.database = self.folder / "records.db"
        shutil.copy(self.template, self.database)
        self.open_cloud()
        self.machines = {device: Machine(device, self.folder, self.time) for device in DEVICES}

    def open_cloud(self):
        self.records = open_records(f"sqlite:///{self.database}")
        opener = Opener(Keyring({"k1": KEY}), PEPPER)
        self.stores = [Store(self.records, NoHistory(), opener=opener, now=self.time) for _ in range(2)]
        self.sweeper = Sweep(self.stores[0])

    # ---- at the machines ---------------------------------------------------------------------------------------------

    @rule(device=st.sampled_from(DEVICES), count=st.integers(1, 4), later=st.sampled_from([0, 600_000, 3 * HOUR]))
    def tap(self, device, count, later):
        machine = self.machines[device]
        for _ in range(count):
            self.time.ms += later
            number = len(self.taps)
            uid, now = b"\x04" + number.to_bytes(6, "big"), machine.stamp()
            truth = self.time.ms
            card = str(KEY.public().seal(uid, device))
            record = Tap(seq=1, at=now.at, mono=now.mono, boot=now.boot, clock=now.clock, card=card)
            self.taps[PEPPER.pseudonym(uid)] = [device, truth, False]
            try:
                machine.outbox.keep(record)
            except NotKept:
                continue
            self.taps[PEPPER.pseudonym(uid)][2] = True

    @rule(device=st.sampled_from(DEVICES))
    def an_hour_is_over(self, device):
        machine = self.machines[device]
        now = machine.stamp()
        record = Hours(seq=1, at=now.at, mono=now.mono, boot=now.boot, clock=now.clock, hour=0, able_min=60)
        try:
            machine.outbox.keep(record)
        except NotKept:
            return

    @rule(device=st.sampled_from(DEVICES))
    def restart(self, device):
        self.machines[device].outbox.close()
        self.machines[device].boot_up()

    @rule(device=st.sampled_from(DEVICES), is_trusted=st.booleans())
    def clock_changes(self, device, is_trusted):
        self.machines[device].is_trusted = is_trusted

    @rule(device=st.sampled_from(DEVICES))
    def clock_is_set_right(self, device):
        machine = self.machines[device]
        machine.is_trusted = True
        try:
            machine.outbox.redate(machine.boot, machine.booted_ms)
        except OutboxUnavailable:
            return

    @rule(device=st.sampled_from(DEVICES), pages=st.sampled_from([FEW_PAGES, MANY_PAGES]))
    def disk_is_full_or_not(self, device, pages):
        self.machines[device].outbox._db.execute(f"PRAGMA max_page_count = {pages}")

    @rule(device=st.sampled_from(DEVICES))
    def prune(self, device):
        try:
            self.machines[device].outbox.prune(self.time.ms)
        except OutboxUnavailable:
            return

    @rule(device=st.sampled_from(DEVICES))
    def disk_is_imaged(self, device):
        machine = self.machines[device]
        machine.outbox.close()
        shutil.copy(machine.path, machine.path.with_suffix(".image"))
        self.images[device] = set(self.taps)
        machine.boot_up()

    @precondition(lambda self: self.images)
    @rule(data=st.data())
    def disk_forgets(self, data):
        self.forget_disk(data.draw(st.sampled_from(sorted(self.images))))

    def forget_disk(self, device):
        machine = self.machines[device]
        machine.outbox.close()
        for part in self.folder.glob(f"{machine.path.name}-*"):
            part.unlink()
        shutil.copy(machine.path.with_suffix(".image"), machine.path)
        mine = {pseudonym for pseudonym, (where, _, _) in self.taps.items() if where == device}
        self.lost_by_disk |= mine - self.images[device]
        self.has_forgotten = True
        machine.boot_up()

    # ---- what happens most of the time: several things in the order in which they hurt -------------------------------

    @rule(
        device=st.sampled_from(DEVICES),
        taps=st.integers(1, 3),
        is_trusted=st.booleans(),
        lost=st.sampled_from(["nothing", "nothing", "the batch", "the answer"]),
    )
    def a_usual_hour(self, device, taps, is_trusted, lost):
        """Taps, under a right or a wrong clock, and an exchange in which something may be lost."""
        self.clock_changes(device, is_trusted)
        self.tap(device, taps, 0)
        if is_trusted:
            self.clock_is_set_right(device)
        self.talk(device, lost)

    def talk(self, device, lost="nothing"):
        before = len(self.up)
        self.send(device, 9)
        batches, self.up = self.up[before:], self.up[:before]
        for batch in batches if lost != "the batch" else []:
            heard = len(self.down)
            self.take(self.stores[0], [batch])
            answers, self.down = self.down[heard:], self.down[:heard]
            if lost == "no time":
                self.down += answers
            for message in answers if lost == "nothing" else []:
                self.hear(message)

    @rule(
        device=st.sampled_from(DEVICES),
        known=st.integers(1, 3),
        after=st.integers(1, 3),
        lost=st.sampled_from(["the answer", "no time"]),
    )
    def a_bad_day_of_a_disk(self, device, known, after, lost):
        """What was stored is forgotten by the machine, which gives its numbers to other taps; then answers come."""
        self.disk_is_full_or_not(device, MANY_PAGES)
        self.clock_is_set_right(device)
        self.talk(device)
        self.disk_is_imaged(device)
        self.tap(device, known, 0)
        self.talk(device, lost)
        self.forget_disk(device)
        self.tap(device, after, 0)
        for message in self.down:
            self.hear(message)
        self.talk(device)

    @rule(device=st.sampled_from(DEVICES), taps=st.integers(1, 3))
    def a_bad_day_of_the_cloud(self, device, taps):
        """What was stored and confirmed is lost with the database."""
        self.cloud_is_backed_up()
        self.tap(device, taps, 0)
        self.talk(device)
        self.cloud_is_restored()

    # ---- between them ------------------------------------------------------------------------------------------------

    @rule(device=st.sampled_from(DEVICES), count=st.integers(1, 9))
    def send(self, device, count):
        try:
            self.up += [(device, payload) for payload in self.machines[device].batches(count)]
        except OutboxUnavailable:
            return

    @precondition(lambda self: self.up)
    @rule(data=st.data(), store=st.integers(0, 1), again=st.booleans())
    def batches_arrive(self, data, store, again):
        chosen = self.choose(data, self.up, again)
        self.take(self.stores[store], chosen)

    @precondition(lambda self: len(self.up) > 1)
    @rule(data=st.data())
    def batches_arrive_at_both_ingesters_at_once(self, data):
        one, two = self.choose(data, self.up, True), self.choose(data, self.up, True)

        async def both():
            return await asyncio.gather(
                self.stores[0].take([self.incoming(*each) for each in one]),
                self.stores[1].take([self.incoming(*each) for each in two]),
            )

        for answers in asyncio.run(both()):
            self.heard_from_cloud(answers)

    @precondition(lambda self: self.up)
    @rule()
    def a_batch_is_lost(self):
        self.up.pop(0)

    @precondition(lambda self: self.down)
    @rule(data=st.data(), again=st.booleans())
    def answers_arrive(self, data, again):
        for message in self.choose(data, self.down, again):
            self.hear(message)

    @precondition(lambda self: self.down)
    @rule()
    def answers_are_lost(self):
        self.down.clear()

    def choose(self, data, queue, again):
        numbers = data.draw(st.lists(st.integers(0, len(queue) - 1), min_size=1, max_size=3, unique=True))
        chosen = [queue[number] for number in numbers]
        if not again:
            queue[:] = [each for number, each in enumerate(queue) if number not in numbers]
        return chosen

    def incoming(self, device, payload):
        return Incoming(device, codec.decode_batch(payload, device=device), self.time.ms)

    def take(self, store, batches):
        self.heard_from_cloud(asyncio.run(store.take([self.incoming(*each) for each in batches])))

    def heard_from_cloud(self, answers):
        for answer in answers:
            if isinstance(answer, Stored):
                self.never_confirms_what_is_not_there(answer)
        self.down += answers

    def hear(self, message):
        try:
            self.machines[message.device].hear(message)
        except OutboxUnavailable:
            return

    @rule(device=st.sampled_from(DEVICES), store=st.integers(0, 1))
    def heartbeat(self, device, store):
        self.down += asyncio.run(self.stores[store].take_beats([self.machines[device].heartbeat()]))

    # ---- at the centre -----------------------------------------------------------------------------------------------

    @precondition(lambda self: self.taps)
    @rule(data=st.data())
    def a_card_is_registered(self, data):
        pseudonym = data.draw(st.sampled_from(sorted(self.taps)))
        if pseudonym not in self.registered:
            self.registered.add(pseudonym)
            self.register(pseudonym)

    def register(self, pseudonym):
        def work(connection):
            version = registry.raise_version(connection, now_ms=self.time.ms)
            row = {"pseudonym": pseudonym, "unit": "DMG/A/01/01", "role": "holder", "obliged": True}
            connection.execute(
                cards.insert().values(**row, valid_from=date(2020, 1, 1), known_from_ms=0, changed=version)
            )

        self.records.write(work)

    @rule(device=st.sampled_from(DEVICES), estate=st.sampled_from(["DMG", "PSK"]))
    def an_installation_is_corrected(self, device, estate):
        self.estates[device] = estate

        def work(connection):
            version = registry.raise_version(connection, now_ms=self.time.ms)
            changed = installations.update().where(installations.c.device == device)
            connection.execute(changed.values(estate=estate, changed=version))

        self.records.write(work)

    @rule()
    def sweep(self):
        asyncio.run(self.sweeper.run())

    @rule()
    def cloud_is_backed_up(self):
        self.backup = self.folder / "backup.db"
        self.records.write(lambda connection: None)
        self.records.close()
        shutil.copy(self.database, self.backup)
        self.kept_registry = set(self.registered), dict(self.estates)
        self.open_cloud()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def cloud_is_restored(self):
        """What is on its way dies with the old cloud: nobody can tell an answer of a lost database from a new one."""
        self.records.close()
        for part in self.folder.glob("records.db*"):
            part.unlink()
        shutil.copy(self.backup, self.database)
        self.registered, self.estates = set(self.kept_registry[0]), dict(self.kept_registry[1])
        self.up.clear()
        self.down.clear()
        self.seen.clear()
        self.open_cloud()

    # ---- what must hold ----------------------------------------------------------------------------------------------

    def rows(self, sql, *arguments):
        return self.records.read(
            lambda connection: [tuple(row) for row in connection.exec_driver_sql(sql, tuple(arguments))]
        )

    def never_confirms_what_is_not_there(self, answer):
        kept = dict(
            self.rows(
                "SELECT seq, digest FROM arrivals JOIN streams ON id = stream WHERE device = ? AND outbox = ?",
                answer.device,
                answer.outbox,
            )
        )
        for seq, digest in answer.digests.items():
            assert kept[seq] == digest, "an answer names bytes that are not stored"
        (dropped,) = self.rows(
            "SELECT dropped FROM streams WHERE device = ? AND outbox = ?", answer.device, answer.outbox
        )
        there = Ranges.single(kept) | Ranges.of(map(tuple, json.loads(dropped[0])))
        assert not answer.covered - there, "an answer covers what is neither stored nor declared lost"

    @invariant()
    def what_is_stored_never_changes(self):
        found = {
            (device, outbox, seq): digest
            for device, outbox, seq, digest in self.rows(
                "SELECT device, outbox, seq, digest FROM arrivals JOIN streams ON id = stream"
            )
        }
        assert self.seen.items() <= found.items()
        self.seen = found

    @invariant()
    def positions_are_what_arrived(self):
        for number, answered, dropped in self.rows("SELECT id, answered, dropped FROM streams"):
            arrived = Ranges.single(seq for (seq,) in self.rows("SELECT seq FROM arrivals WHERE stream = ?", number))
            gone = Ranges.of(map(tuple, json.loads(dropped)))
            assert Ranges.of(map(tuple, json.loads(answered))) == arrived | gone
            assert not gone & arrived, "what arrived still counts as lost"

    @invariant()
    def counts_are_the_sightings(self):
        hours, quarters, presence = Counter(), Counter(), Counter()
        query = "SELECT device, at_ms, outcome, unit, arrived_ms FROM sightings"
        for device, at, outcome, unit, arrived in self.rows(query):
            for name in (outcome, *(["late"] if counts.is_late(at, arrived) else [])):
                hours[device, at - at % HOUR, name] += 1
            quarters[device, at - at % (HOUR // 4), outcome] += 1
            if outcome == "known":
                presence[unit, counts.local_day(at).isoformat(), device] += 1
        assert +self.counted("hour", ("known", "unknown", "late")) == hours
        assert +self.counted("quarter", ("known", "unknown")) == quarters
        found = {(unit, str(day), device): taps for unit, day, device, taps in self.rows("SELECT * FROM presence")}
        assert found == dict(presence)

    def counted(self, span, names):
        found = Counter()
        for row in self.rows(f"SELECT device, {span}_ms, {', '.join(names)} FROM {span}_counts"):
            found.update({(row[0], row[1], name): number for name, number in zip(names, row[2:], strict=True)})
        return found

    @invariant()
    def every_tap_has_one_place(self):
        states = dict(self.rows("SELECT state, count(*) FROM arrivals WHERE kind = 'tap' GROUP BY state"))
        assert states.get("stored", 0) == self.rows("SELECT count(*) FROM sightings")[0][0]
        assert states.get("held", 0) == self.rows("SELECT count(*) FROM held")[0][0]
        assert not states.get("rejected")

    # ---- the end -----------------------------------------------------------------------------------------------------

    def teardown(self):
        try:
            if hasattr(self, "machines"):
                self.settle()
                self.everything_is_stored_as_it_was()
        finally:
            for machine in getattr(self, "machines", {}).values():
                machine.outbox.close()
            self.records.close()
            shutil.rmtree(self.folder)

    def settle(self):
        """A quiet network at last: clocks right, disks with room, everybody resends until nothing is missing."""
        for device in self.machines:
            self.disk_is_full_or_not(device, MANY_PAGES)
            self.clock_is_set_right(device)
            self.an_hour_is_over(device)
        for _ in range(60):
            self.time.ms += 130_000
            resumes = asyncio.run(self.stores[0].take_beats([each.heartbeat() for each in self.machines.values()]))
            for message in resumes:
                self.hear(message)
            self.exchange()
            if not any(each.outbox.backlog()[0] for each in self.machines.values()) and not self.gaps():
                break
        else:
            raise AssertionError(f"the two ends never agree: {self.gaps()}")
        self.sweep()
        self.what_is_stored_never_changes()
        self.positions_are_what_arrived()
        self.counts_are_the_sightings()
        self.every_tap_has_one_place()

    def exchange(self):
        for device, machine in self.machines.items():
            for payload in list(machine.batches(100)):
                self.down.clear()
                self.take(self.stores[1], [(device, payload)])
                for message in list(self.down):
                    self.hear(message)

    def gaps(self):
        return self.rows("SELECT device, outbox, answered, closed_at_seq FROM streams WHERE gap_since_ms IS NOT NULL")

    def everything_is_stored_as_it_was(self):
        held = self.rows("SELECT reason, count(*) FROM held GROUP BY reason")
        waiting = sum(number for _, number in held)
        found = Counter()
        for pseudonym, device, at, uncertainty, outcome, estate in self.rows(
            "SELECT pseudonym, device, at_ms, uncertainty_ms, outcome, estate FROM sightings"
        ):
            found[pseudonym] += 1
            where, truth, was_kept = self.taps[pseudonym]
            assert was_kept and device == where
            assert abs(at - truth) <= uncertainty, f"{truth - at} ms off"
            assert estate == self.estates[device]
            assert outcome == ("known" if pseudonym in self.registered else "unknown")
        kept = {pseudonym for pseudonym, (_, _, was_kept) in self.taps.items() if was_kept}
        missing = kept - self.lost_by_disk - found.keys()
        assert len(missing) <= waiting, f"{len(missing)} taps are lost, {held} wait"
        assert not held, f"something is held for ever: {held}"
        if not self.has_forgotten:
            assert max(found.values(), default=1) == 1, "a tap is stored twice"


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """An empty database with three machines at two estates."""
    path = tmp_path_factory.mktemp("town") / "records.db"
    with open_records(f"sqlite:///{path}") as records:
        migrate.upgrade_records(records)

        def fill(connection):
            for code in ("DMG", "PSK"):
                connection.execute(estates.insert().values(estate=code, name=code, go_live=date(2020, 1, 1)))
            connection.execute(units.insert().values(unit="DMG/A/01/01", estate="DMG"))
            since = {"installed_ms": START - 100 * DAY, "known_from_ms": 0, "service_hours": "", "changed": 1}
            for device in DEVICES:
                connection.execute(
                    installations.insert().values(device=device, estate=device.partition("-")[0], **since)
                )

        records.write(fill)
    return path


def test_whatever_happens_between_them_every_tap_is_stored_once_as_it_was(town):
    BothEnds.template = town
    run_state_machine_as_test(
        BothEnds,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
