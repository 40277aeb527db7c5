"""Records that nobody can read, or that no broker lets through, stand among good ones: they cost only themselves."""

import contextlib
import json
import sqlite3
import uuid
from typing import Final

from bench.chaos.machine import Machine, now_ms
from bench.chaos.rig import standing
from bench.chaos.score import Score
from bench.chaos.stage import Stage
from contract import codec

TOO_LONG: Final = "x" * 300_000
"""More than the broker's largest packet."""
LARGE: Final[dict[str, object]] = {
    "kind": "event",
    "event": "self_test",
    "detail": {f"said_{number}": "x" * 190 for number in range(16)},
}
"""As large as a good record can be: a hundred of them are more than the largest packet."""


def poison_records(stage: Stage) -> Score:
    """Every few taps a record that can never be read: each is rejected by its number, and reported."""
    with standing(stage) as rig:
        rig.broker.stop()
        rig.start_machines()
        planted = 0
        for _ in range(3):
            rig.lay(0.25)
            planted += sum(_plant(machine, _poison()) for machine in rig.machines)
        rig.broker.start()
        rig.centre.start()
        rig.mended()
        rig.lay(0.25)
        rig.settle()
        rejected = sum(int(machine.ask("SELECT count(*) FROM rejected")[0][0]) for machine in rig.machines)
        score = rig.score(note=f"{rejected} rejected")
        return score if rejected == planted else score.blamed(f"{planted} poison records were planted", wrong=1)


def oversized_batch(stage: Stage) -> Score:
    """A batch of good records is larger than the broker takes: it goes in parts. So is one bad record: it is parked."""
    with standing(stage) as rig:
        rig.broker.stop()
        rig.start_machines()
        rig.lay(0.4)
        machine = rig.machines[0]
        planted = _plant(machine, [{"kind": "event", "event": "self_test", "detail": {"said": TOO_LONG}}])
        _plant(machine, [LARGE] * 120)
        rig.lay(0.4)
        rig.broker.start()
        rig.centre.start()
        rig.mended()
        rig.lay(0.2)
        rig.settle(besides=planted)
        return rig.score(note=f"{machine.waiting()} record(s) too large to be sent")


def _poison() -> list[dict[str, object]]:
    return [
        {"kind": "nonsense"},
        {"kind": "tap", "card": "k1.this-is-no-sealed-card"},
        {"kind": "event", "event": "self_test", "detail": {"said": "\0"}},
    ]


def _plant(machine: Machine, contents: list[dict[str, object]]) -> int:
    """Put records into the outbox behind the program's back, as if it had kept them; how many."""
    with contextlib.closing(sqlite3.connect(machine.outbox, isolation_level=None, timeout=10)) as db:
        db.execute("BEGIN IMMEDIATE")
        (outbox,) = db.execute("SELECT value FROM note WHERE name = 'outbox'").fetchone()
        for content in contents:
            db.execute("UPDATE stream SET last_seq = last_seq + 1 WHERE outbox = ?", (outbox,))
            (seq,) = db.execute("SELECT last_seq FROM stream WHERE outbox = ?", (outbox,)).fetchone()
            stamp = {"seq": seq, "at": now_ms(), "mono": 1, "boot": str(uuid.uuid4()), "clock": "trusted"}
            body = json.dumps(stamp | content, sort_keys=True, separators=(",", ":"))
            db.execute(
                "INSERT INTO row (outbox, seq, at, mono, boot, dated, frozen, body, digest) VALUES (?,?,?,?,?,1,1,?,?)",
                (outbox, seq, stamp["at"], stamp["mono"], stamp["boot"], body, codec.digest(body)),
            )
        db.execute("COMMIT")
    return len(contents)
