"""A machine that needs nobody: no broker answers it, its clock is right, its cards are sealed with a key of its own."""

import os
from pathlib import Path
from typing import Final

from bench.chaos.machine import Machine, now_ms
from contract.cards import Keyring, OpeningKey
from contract.topics import DeviceId
from edge.clock import simulated

DEVICE: Final = DeviceId("DMG-01")
AT_ONCE_MS: Final = 5
NOBODY: Final = "mqtts://127.0.0.1:1"


def basic_settings(device: DeviceId, folder: Path) -> dict[str, str]:
    """What every machine of the rig is told: its own folder, a right clock, and the pace of a rig.

    Only waiting is shortened. Keepalive, last will and TLS are those of a machine in the field.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock = folder / "clock.json"
    if not clock.exists():
        simulated.write(clock, _right_clock())
    return {
        "HADIR_DEVICE": device,
        "HADIR_OUTBOX": str(folder / "disk" / "outbox.db"),
        "HADIR_READER": f"sim:{folder / 'reader'}",
        "HADIR_SIGNALS": "console:json",
        "HADIR_CLOCK": f"simulated:{clock}",
        "HADIR_RESERVE_BYTES": "65536",
        "HADIR_HEARTBEAT_S": "0.5",
        "HADIR_RESEND_FIRST_S": "1",
        "HADIR_RESEND_MAX_S": "3",
        "HADIR_LOG_LEVEL": "DEBUG",
    }


def _right_clock() -> simulated.Setting:
    """True time and the computer's own, read at the same moment: again when something came between."""
    while True:
        before = simulated.real_ms()
        setting = simulated.start(now_ms())
        if simulated.real_ms() - before <= AT_ONCE_MS:
            return setting


def lone_machine(folder: Path) -> tuple[Machine, Keyring]:
    """The machine, not started yet, and what opens its cards."""
    environment = basic_settings(DEVICE, folder)
    key = OpeningKey.generate("k1")
    (folder / "sealing.key").write_text(str(key.public()))
    environment |= {
        "HADIR_BROKER": NOBODY,
        "HADIR_SEALING_KEY_FILE": str(folder / "sealing.key"),
        "HADIR_CA_FILE": os.devnull,
        "HADIR_CERT_FILE": os.devnull,
        "HADIR_KEY_FILE": os.devnull,
    }
    return Machine(DEVICE, folder, environment), Keyring({"k1": key})
