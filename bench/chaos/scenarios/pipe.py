"""Broker, ingester and the network between them end or hang; what was on its way is sent again until it is answered."""

import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from bench.chaos.rig import Hands, Rig, standing
from bench.chaos.score import Score
from bench.chaos.stage import CannotRun, Stage
from demo.servers.process import wait_for

LAYING_S: Final = 4.0
"""Over how long the cards of a row are laid on at least, so that every break falls among them."""
KEEPALIVE_PATIENCE: Final = timedelta(seconds=120)
CONNECTED: Final = "Connected"
LOST: Final = "No connection"


def nothing(stage: Stage) -> Score:
    """Everything works."""
    with standing(stage, database="postgres", history="influx") as rig:
        rig.start()
        rig.lay(1)
        rig.mended()
        rig.settle()
        return rig.score()


def broker_killed(stage: Stage) -> Score:
    """The broker is killed three times; it keeps nothing on disk."""
    with standing(stage) as rig:
        return _broken(rig.start(), _broker_again(rig))


def ingester_killed(stage: Stage) -> Score:
    """The ingester is killed three times, each time between its two writes."""
    with standing(stage) as rig:
        return _broken(rig.start(), _ingester_again(rig))


def both_killed(stage: Stage) -> Score:
    """Broker and ingester die together."""
    with standing(stage, database="postgres") as rig:

        def again() -> None:
            rig.broker.kill()
            rig.centre.kill()
            rig.broker.start()
            rig.centre.start()

        return _broken(rig.start(), again)


def one_of_two_killed(stage: Stage) -> Score:
    """Two ingesters share the machines' batches; one is killed in the middle of them, and comes back."""
    with standing(stage, database="postgres", history="influx") as rig:
        rig.centre.start(1)

        def again() -> None:
            rig.centre.kill(1)
            rig.centre.start(1)

        return _broken(rig.start(), again)


def _broker_again(rig: Rig) -> Callable[[], None]:
    def again() -> None:
        rig.broker.kill()
        rig.broker.start()

    return again


def _ingester_again(rig: Rig) -> Callable[[], None]:
    def again() -> None:
        before, give_up = rig.centre.history.size(), time.monotonic() + LAYING_S
        while rig.centre.history.size() == before and time.monotonic() < give_up:
            pass  # as soon as the history has grown, the commit has not happened yet
        rig.centre.kill()
        rig.centre.start()

    return again


def _broken(rig: Rig, again: Callable[[], None]) -> Score:
    """Break something while cards are laid on: at a fifth, at half and at four fifths of them."""
    with rig.laying(1, seconds=LAYING_S) as hands:
        _break_at(hands, again)
    rig.mended()
    rig.settle()
    return rig.score()


def _break_at(hands: Hands, again: Callable[[], None]) -> None:
    for done in (0.2, 0.5, 0.8):
        hands.wait_for(done)
        again()


def half_open(stage: Stage) -> Score:
    """Packets of one machine's connection are dropped without a word until both sides' keepalive has run out."""
    if shutil.which("nft") is None:
        raise CannotRun("nft is not installed: get it with `sudo apt-get install nftables`")
    with standing(stage) as rig:
        rig.start()
        machine = rig.machines[0]
        wait_for(lambda: machine.logged(CONNECTED) > 0, "The first connection")
        rig.lay(0.2)
        rig.settle()
        before, began = machine.logged(LOST), time.monotonic()
        with rig.laying(0.5, seconds=LAYING_S):
            _drop(_local_ports(machine.program))
        wait_for(
            lambda: machine.logged(LOST) > before, "The end of the machine's patience", patience=KEEPALIVE_PATIENCE
        )
        noticed_s = time.monotonic() - began
        rig.mended()
        rig.lay(0.3)
        rig.settle()
        return rig.score(note=f"noticed after {noticed_s:.0f} s")


def _local_ports(pid: int) -> list[int]:
    """The TCP ports of a process's own connections."""
    inodes = {
        target.removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if (target := _target(link)).startswith("socket:[")
    }
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


def _drop(ports: list[int]) -> None:
    """From now on nothing gets through from or to these ports; nobody is told."""
    listed = ", ".join(map(str, ports))
    rules = f"""
        table inet chaos {{
            chain cut {{
                type filter hook output priority 0; policy accept;
                tcp sport {{ {listed} }} drop
                tcp dport {{ {listed} }} drop
            }}
        }}
    """
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
