"""The whole program against the real broker: a card laid on comes back as light."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.cards import OpeningKey
from contract.messages import Tap
from contract.topics import DeviceId
from demo.servers.mosquitto import Mosquitto
from edge.clock import simulated
from edge.readers.simulated import Finger, NotTaken

pytestmark = pytest.mark.integration

DEVICE = DeviceId("DMG-01")
UID = bytes.fromhex("04a1b2c3d4e5f6")
START = 1_800_000_000_000


class Program:
    """`hadir-edge run` as a process of its own."""

    def __init__(self, folder: Path, broker: Mosquitto, **more: str) -> None:
        self.folder = folder
        self.finger = Finger(folder / "reader")
        self.process: subprocess.Popen[bytes] | None = None
        files = broker.issue(DEVICE)
        broker.admit(DEVICE)
        key = folder / "sealing.key"
        key.write_text(str(OpeningKey.generate("k1").public()))
        clock = folder / "clock.json"
        if not clock.exists():
            simulated.write(clock, simulated.start(START))
        self.environment = {
            "HADIR_DEVICE": DEVICE,
            "HADIR_BROKER": f"mqtts://{broker.host}:{broker.port}",
            "HADIR_CA_FILE": str(files.ca),
            "HADIR_CERT_FILE": str(files.certificate),
            "HADIR_KEY_FILE": str(files.key),
            "HADIR_SEALING_KEY_FILE": str(key),
            "HADIR_OUTBOX": str(folder / "outbox.db"),
            "HADIR_READER": f"sim:{folder / 'reader'}",
            "HADIR_SIGNALS": "console:json",
            "HADIR_CLOCK": f"simulated:{clock}",
            "HADIR_HEARTBEAT_S": "0.5",
            "HADIR_RESEND_FIRST_S": "1",
            "HADIR_RESEND_MAX_S": "3",
            "HADIR_RESERVE_BYTES": "65536",
            **more,
        }

    def start(self, command: str = "run") -> None:
        with (self.folder / "signals").open("ab") as out, (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", command],
                env=os.environ | self.environment,
                cwd=Path(__file__).parents[2],
                stdout=out,
                stderr=log,
            )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def lay(self, uid: bytes) -> None:
        """Lay a card on as soon as the program is up."""
        deadline = time.monotonic() + 15
        while True:
            try:
                return self.finger.lay(uid)
            except NotTaken:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)

    def signals(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "signals").read_text().splitlines()]

    def said(self, word: str) -> list[int | None]:
        return [one["seq"] for one in self.signals() if one["signal"] == word]

    def log(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def program(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Program]:
    one = Program(tmp_path, mosquitto)
    yield one
    if one.process is not None and one.process.poll() is None:
        one.kill()


def until(what: Callable[[], object], program: Program, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, program.log() + str(program.signals())
        time.sleep(0.02)


def taps(centre: Any) -> list[Tap]:
    return [record for record in centre.records() if isinstance(record, Tap)]


def test_a_tap_is_kept_sent_confirmed_and_lights_the_screen(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto) as centre:
        program.start()
        centre.wait_for(lambda: centre.statuses and centre.statuses[-1].reason == "birth")
        program.lay(UID)
        until(lambda: program.said("confirmed"), program)
        assert program.said("confirmed") == program.said("stored")
        assert len(taps(centre)) == 1
        centre.wait_for(lambda: any(beat.confirmed == beat.last_seq > 0 for beat in centre.heartbeats))
        assert program.stop() == 0
        centre.wait_for(lambda: centre.statuses[-1].reason == "goodbye")
        assert UID.hex() not in program.log().lower()


def test_an_unregistered_card_is_told_so(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto, known=False) as centre:
        program.start()
        centre.wait_for(lambda: centre.statuses)
        program.lay(UID)
        until(lambda: program.said("unknown_card"), program)


def test_taps_made_without_network_and_through_a_kill_arrive_once(program, mosquitto, centre_at) -> None:
    mosquitto.stop()
    program.start()
    for number in range(3):
        program.lay(bytes([4, 0, 0, 0, 0, 0, number]))
    until(lambda: len(program.said("stored_offline")) == 3, program)
    program.kill()
    mosquitto.start()
    with centre_at(mosquitto) as centre:
        program.start()
        centre.wait_for(lambda: len(taps(centre)) == 3)
        assert program.said("confirmed") == []  # nobody stands there any more
        assert centre.statuses[-1].session == 2


def test_a_machine_that_wakes_in_1970_learns_the_time_from_the_first_answer(program, mosquitto, centre_at) -> None:
    simulated.write(program.folder / "clock.json", simulated.start(0, trusted=False))
    with centre_at(mosquitto, at_ms=lambda: START) as centre:
        program.start()
        program.lay(UID)
        centre.wait_for(lambda: bool(taps(centre)))
        (tap,) = taps(centre)
        assert tap.clock == "redated"
        assert abs(tap.at - START) < 10_000


def test_a_broker_that_dies_under_the_machine_is_found_again(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto) as centre:
        program.start()
        centre.wait_for(lambda: centre.statuses)
        mosquitto.kill()
        program.lay(UID)
        mosquitto.start()
        centre.wait_for(lambda: len(taps(centre)) == 1, 40)


def test_a_silent_centre_is_asked_until_it_answers(program, mosquitto, centre_at) -> None:
    program.environment["HADIR_RESEND_MAX_S"] = "1"
    with centre_at(mosquitto, is_silent=True) as centre:
        program.start()
        program.lay(UID)
        centre.wait_for(lambda: centre.batches >= 3)
        centre.is_silent = False
        centre.wait_for(lambda: len(taps(centre)) == 1)


def told(program: Program, command: str, *options: str) -> tuple[int, str]:
    """Run another command of the program; its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", command, *options],
        env=os.environ | program.environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=90,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_doctor_finds_a_sound_machine_sound(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto):
        code, said = told(program, "doctor", "--card-s", "0")
    assert code == 0, said
    assert "RUSAK" not in said
    assert "Uji pulang-pergi: disimpan dan dikonfirmasi pusat" in said


def test_the_doctor_asks_for_a_card(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto):
        code, said = told(program, "doctor", "--card-s", "1")
    assert code == 1
    assert "Tempelkan kartu" in said
    assert "RUSAK  Kartu: tidak ada kartu yang terbaca" in said


def test_the_doctor_works_beside_the_running_service(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto) as centre:
        program.start()
        centre.wait_for(lambda: centre.statuses)
        code, said = told(program, "doctor")
        assert program.process.poll() is None
    assert code == 0, said
    assert "sedang dipakai layanan hadir-edge" in said
    assert "Uji pulang-pergi: disimpan" in said


def test_the_doctor_says_that_the_network_is_down(program, mosquitto) -> None:
    mosquitto.stop()
    program.environment["HADIR_BROKER"] = "mqtts://mqtt.invalid:8883"
    code, said = told(program, "doctor", "--card-s", "0")
    assert code == 1
    assert "RUSAK  Nama server: mqtt.invalid tidak ditemukan" in said
    assert "RUSAK  Sambungan aman" in said
    assert "RUSAK  Broker: tidak tersambung" in said


def test_the_doctor_says_that_the_machine_has_no_rights(program, mosquitto, centre_at) -> None:
    mosquitto.revoke(DEVICE)
    with centre_at(mosquitto):
        code, said = told(program, "doctor", "--card-s", "0")
    assert code == 1
    assert "RUSAK  Sambungan aman: sertifikat mesin ditolak" in said


def test_a_retired_machine_leaves_nothing_behind(program, mosquitto, centre_at) -> None:
    mosquitto.stop()
    program.start()
    program.lay(UID)
    assert program.stop() == 0
    mosquitto.start()
    with centre_at(mosquitto) as centre:
        code, said = told(program, "retire", "--patience-s", "20")
        assert code == 0, said
        assert "Mesin boleh dilepas" in said
        assert len(taps(centre)) == 1
        centre.wait_for(lambda: centre.statuses[-1].reason == "goodbye")


def test_a_machine_with_records_left_is_not_retired(program, mosquitto) -> None:
    code, said = told(program, "retire", "--patience-s", "1")
    assert code == 1
    assert "catatan yang belum dikonfirmasi" in said


def test_two_programs_never_share_an_outbox(program, mosquitto, centre_at) -> None:
    with centre_at(mosquitto) as centre:
        program.start()
        centre.wait_for(lambda: centre.statuses)
        code, said = told(program, "run")
    assert code == 1
    assert "hentikan dahulu" in said


def test_a_wrong_setting_is_named(program, mosquitto) -> None:
    program.environment["HADIR_BROKER"] = "mqtt://plain"
    code, said = told(program, "run")
    assert code == 1
    assert "HADIR_BROKER" in said


def test_systemd_is_told_that_the_machine_runs_how_it_is_and_that_it_ends(program, mosquitto, centre_at) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(program.folder / "notify"))
        systemd.settimeout(10)
        program.environment |= {"NOTIFY_SOCKET": str(program.folder / "notify"), "WATCHDOG_USEC": "600000"}
        said = []
        with centre_at(mosquitto):
            program.start()
            while said.count("WATCHDOG=1") < 2 or "STATUS=tersambung ke pusat; pembaca kartu berfungsi" not in said:
                said.append(systemd.recv(4096).decode())
            assert program.stop() == 0
            while "STOPPING=1" not in said:
                said.append(systemd.recv(4096).decode())
    assert "READY=1" in said
