"""The machine's disk fails it: killed in a commit, full, an older image, damaged."""

import contextlib
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.chaos.machine import Machine
from bench.chaos.rig import Rig, standing
from bench.chaos.score import Score, local_day
from bench.chaos.stage import CannotRun, Stage
from contract import topics
from contract.messages import Happening
from contract.topics import DeviceId
from demo.servers.process import ServerFailed, wait_for

ALONE: Final = (DeviceId("DMG-01"),)
PAIR: Final = (DeviceId("DMG-01"), DeviceId("RWB-01"))
SMALL_DISK: Final = 4 * 1024 * 1024
RESERVE: Final = 768 * 1024
BYTES_OF_A_TAP: Final = 700
ENOUGH_REFUSED: Final = 10
PAGE: Final = 4096
A_MOMENT_S: Final = 8.0
MOST_TAPS: Final = 2_000
"""Of the rows that are about single moments: more taps would show no other."""


def killed_in_commit(stage: Stage) -> Score:
    """The program is killed as it enters a write to its log or the sync after it, again and again."""
    if shutil.which("strace") is None:
        raise CannotRun("strace is not installed: get it with `sudo apt-get install strace`")
    stage = replace(stage, taps=min(stage.taps, MOST_TAPS))
    with standing(stage, devices=ALONE) as rig:
        machine, kills = rig.machines[0], 0
        machine.prefix = _deadly(stage)
        rig.start()
        with rig.laying(1) as hands:
            while hands.are_busy:
                wait_for(lambda: not (machine.is_running and hands.are_busy), "A deadly commit", patience=rig.patience)
                if hands.are_busy:
                    kills += 1
                    machine.prefix = _deadly(stage)
                    machine.launch()
        machine.kill()
        machine.prefix = ()
        machine.start()
        rig.mended()
        rig.settle()
        score = rig.score(note=f"{kills} kills")
        return score if kills else score.blamed("nothing was killed, so nothing is proven", wrong=1)


def _deadly(stage: Stage) -> tuple[str, ...]:
    """strace, as what kills the program at some sync, or some write, of its outbox."""
    call, number = stage.chance.choice((("fdatasync", 15), ("pwrite64", 120)))
    deadly = f"inject={call}:signal=SIGKILL:when={stage.chance.randint(number, 3 * number)}"
    return ("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,pwrite64", "-e", deadly)


def disk_full(stage: Stage) -> Score:
    """A small disk fills up while the network is down: what cannot be kept is refused, counted and reported."""
    stage = replace(stage, taps=min(stage.taps, MOST_TAPS))
    with standing(stage, devices=ALONE, cards=SMALL_DISK // BYTES_OF_A_TAP + 2 * stage.taps + 500) as rig:
        rig.broker.stop()
        machine = rig.machines[0]
        machine.environment["HADIR_RESERVE_BYTES"] = str(RESERVE)
        machine.outbox.parent.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "chaos", str(machine.outbox.parent)]
        subprocess.run(mount, check=True)  # this row's mounts are its own
        machine.start()
        while len(rig.book.refused) < ENOUGH_REFUSED:
            machine.lay_in_turn([rig.book.next_card() for _ in range(rig.at_once)], rig.book)
        rig.broker.start()
        rig.centre.start()
        rig.mended()
        rig.settle()
        rig.lay(1)  # confirmed rows make place
        rig.settle()
        wait_for(lambda: _reported(rig) >= len(rig.book.refused), "The report of refused taps", patience=rig.patience)
        return rig.score(note=f"{_reported(rig)} refusals reported")


def _reported(rig: Rig) -> int:
    return sum(int(json.loads(detail)["count"]) for detail in rig.centre.events(Happening.TAPS_REFUSED))


# ---- an older image --------------------------------------------------------------------------------------------------


def rolled_back(stage: Stage) -> Score:
    """The disk turns into an older image of itself; what it forgets was confirmed, and its numbers are given anew."""
    with standing(stage, devices=PAIR) as rig:
        rig.start()
        machine = rig.machines[0]
        rig.lay(0.3)
        rig.settle()
        image = _image(rig, machine)
        rig.lay(0.3)
        rig.settle()
        _roll_back(machine, image)
        rig.mended()
        rig.lay(0.4)
        rig.settle()
        return rig.score()


def rolled_back_unsent(stage: Stage) -> Score:
    """The same, but what the disk forgets was in nobody else's hands: the cloud knows only that it existed."""
    with standing(stage, devices=ALONE) as rig:
        rig.start()
        machine = rig.machines[0]
        rig.lay(0.3)
        rig.settle()
        image = _image(rig, machine)
        _gag(rig)
        rig.lay(0.6)
        wait_for(lambda: _told(rig) >= _last_seq(machine), "A heartbeat with the last number", patience=rig.patience)
        _roll_back(machine, image)
        rig.broker.admit()
        rig.mended()
        rig.lay(0.1)
        return _declared(rig)


def _image(rig: Rig, machine: Machine) -> Path:
    """A copy of its disk as it is now, taken while it is off."""
    machine.stop()
    image = rig.stage.folder / "image"
    shutil.copytree(machine.outbox.parent, image)
    machine.start()
    return image


def _roll_back(machine: Machine, image: Path) -> None:
    machine.kill()
    shutil.rmtree(machine.outbox.parent)
    shutil.copytree(image, machine.outbox.parent)
    machine.start()


def _gag(rig: Rig) -> None:
    """The broker's rules let machines say how they are, but take no record from them."""
    rules = rig.broker.folder / "acl"
    lines = [line for line in rules.read_text().splitlines(keepends=True) if not _allows_records(rig, line)]
    rules.write_text("".join(lines))
    rig.broker.reload()


def _allows_records(rig: Rig, line: str) -> bool:
    return line.strip() in {f"topic write {topics.records(machine.device)}" for machine in rig.machines}


def _told(rig: Rig) -> int:
    return max(int(row[0]) for row in rig.centre.ask("SELECT highest_told FROM streams"))


def _last_seq(machine: Machine) -> int:
    return int(machine.ask("SELECT max(last_seq) FROM stream")[0][0])


# ---- damage ----------------------------------------------------------------------------------------------------------


def corrupted(stage: Stage) -> Score:
    """Pages of the outbox are overwritten; everything on them was confirmed."""
    with standing(stage, devices=PAIR) as rig:
        rig.start()
        machine = rig.machines[0]
        rig.lay(0.5)
        rig.settle()
        machine.stop()
        _smash(machine, stage, every=2)
        machine.start()
        rig.mended()
        rig.lay(0.5)
        rig.settle()
        return rig.score(note=f"{machine.logged('now lies at')} file(s) set aside")


def corrupted_unsent(stage: Stage) -> Score:
    """Pages of an outbox that nobody has answered are overwritten: readable rows arrive, the others are declared."""
    with standing(stage, devices=ALONE) as rig:
        rig.start()
        machine = rig.machines[0]
        rig.lay(0.3)
        rig.settle()
        rig.broker.stop()
        rig.lay(0.6)
        machine.stop()
        _smash(machine, stage, every=8)
        rig.broker.start()
        machine.start()
        rig.mended()
        rig.lay(0.1)
        return _declared(rig)


def _smash(machine: Machine, stage: Stage, *, every: int) -> None:
    """Overwrite one in *every* pages behind the first, never none."""
    content = bytearray(machine.outbox.read_bytes())
    pages = len(content) // PAGE
    for page in stage.chance.sample(range(1, pages), max(1, pages // every)):
        content[page * PAGE : (page + 1) * PAGE] = stage.chance.randbytes(PAGE)
    machine.outbox.write_bytes(content)


# ---- gone, and said so -----------------------------------------------------------------------------------------------


def _declared(rig: Rig) -> Score:
    """Wait until everything is stored or declared gone; then count."""
    with contextlib.suppress(ServerFailed):  # then it is gone in silence, and the score says so
        wait_for(
            lambda: not rig.unanswered() and not _silent(rig),
            "The declaration of what is gone",
            patience=2 * rig.patience,
        )
    rig.settle(still_s=A_MOMENT_S)
    silent = _silent(rig)
    score = rig.score()
    return score.but(is_declared=not silent, note=f"{len(silent)} gone in silence" if silent else "")


def _silent(rig: Rig) -> list[int]:
    """Cards whose taps are neither stored nor of a day that the machine has declared incomplete."""
    stored = {sighting.card for sighting in rig.centre.stored(rig.town).sightings}
    declared = [json.loads(detail) for detail in rig.centre.events(Happening.RECORDS_DROPPED)]
    days = [(local_day(one["from"]), local_day(one["to"])) for one in declared]
    missing = [laid for laid in rig.book.made if laid.card not in stored]
    if rig.unanswered():
        return [laid.card for laid in missing]
    return [laid.card for laid in missing if not any(first <= local_day(laid.from_ms) <= last for first, last in days)]
