"""Nobody can learn from what we leave behind who was where: every log, point, journal file and message is searched.

The same search must find what is planted in each of these places.
"""

import base64
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from contract import topics
from contract.series import SERIES
from contract.topics import DeviceId
from demo.servers.mosquitto import Credentials, Mosquitto
from demo.servers.system import Program, System, until
from edge.readers.simulated import Finger

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

DMG = DeviceId("DMG-01")
HOLDER = bytes.fromhex("04A1B2C3D4E5F6")
STRANGER = bytes.fromhex("DEADBEEF")
HOME = "DMG/B/03/12"
NAME = "Siti Rahayu"  # the registry holds no names; this one is in a file that must not be taken over
REGISTRY = {
    "estates.csv": "estate,name,lat,lon,go_live\nDMG,Pesakih (Daan Mogot),-6.1618,106.7166,2026-01-01\n",
    "units.csv": f"unit,estate\n{HOME},DMG\n",
    "tenancies.csv": f"unit,start,end,known_from\n{HOME},2025-01-01,,\n",
    "cards.csv": "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from\n"
    f"{HOLDER.hex().upper()},{HOME},holder,1,2025-01-01,,,\n",
    "installations.csv": "device,estate,installed,removed,service_hours,known_from\n"
    "DMG-01,DMG,2026-01-01T00:00:00+07:00,,,\n",
}
BROKEN_REGISTRY = REGISTRY | {
    "cards.csv": f"{REGISTRY['cards.csv']}{STRANGER.hex()},{HOME}/{NAME},owner,1,2025-01-01,,,\n"
}


# ---- the search ------------------------------------------------------------------------------------------------------


def secrets_of(uids: Mapping[str, bytes], pepper: bytes, *words: str) -> dict[str, list[bytes]]:
    """Every form in which a person could be recognised, by what it is."""
    found: dict[str, list[bytes]] = {f"the text {number}": [word.encode()] for number, word in enumerate(words)}
    for name, uid in uids.items():
        pseudonym = hmac.digest(pepper, uid, "sha256")
        found[f"the UID of {name}"] = _forms(uid)
        found[f"the pseudonym of {name}"] = [*_forms(pseudonym), pseudonym.hex()[:16].encode()]
    return found


def _forms(secret: bytes) -> list[bytes]:
    text = secret.hex()
    spaced = " ".join(text[at : at + 2] for at in range(0, len(text), 2))
    encoded = base64.b64encode(secret).rstrip(b"=")
    listed = str(list(secret)).encode()
    return [
        form for each in (text, spaced, spaced.replace(" ", ":")) for form in (each.encode(), each.upper().encode())
    ] + [
        encoded,
        encoded.replace(b"+", b"-").replace(b"/", b"_"),
        listed,
        repr(secret)[2:-1].encode(),
    ]


def leaks(places: Mapping[str, bytes], secrets: Mapping[str, list[bytes]]) -> list[str]:
    """Which secret stands where."""
    return [
        f"{what} in {where}"
        for where, content in places.items()
        for what, forms in secrets.items()
        if any(form in content for form in forms)
    ]


def left_behind(system: System, heard: bytes) -> dict[str, bytes]:
    """Everything a system leaves behind that people other than the registry's officers may read."""
    logs = [*system.folder.glob("*.log"), system.broker.log, system.influx.log]
    files = [*logs, *system.folder.glob("journal/**/*.lp"), *system.folder.glob("*.db*")]
    places = {str(path.relative_to(system.folder.parent)).rpartition("/")[2]: path.read_bytes() for path in files}
    points = {f"points of {series}": _points(system, series) for series in SERIES}
    return {**places, **points, "broker capture": heard}


# ---- a run to be searched --------------------------------------------------------------------------------------------


class Capture:
    """Whoever may listen at the broker: everything that goes up, and what goes down to one machine."""

    def __init__(self) -> None:
        self.heard = bytearray()

    @contextmanager
    def listening(self, broker: Mosquitto, *, service: Credentials, device: Credentials) -> Iterator[None]:
        """While this lasts, everything is kept."""
        up = [topics.every(kind) for kind in topics.UP]
        down = [str(topics.of(DMG, kind)) for kind in topics.DOWN]
        with self._client(broker, "capture-up", service, up), self._client(broker, "capture-down", device, down):
            yield

    @contextmanager
    def _client(self, broker: Mosquitto, name: str, files: Credentials, filters: list[str]) -> Iterator[None]:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        client.tls_set(str(files.ca), str(files.certificate), str(files.key))
        ready: list[bool] = []
        client.on_subscribe = lambda *_: ready.append(True)
        client.on_message = lambda _client, _data, message: self.heard.extend(
            message.topic.encode() + b" " + message.payload + b"\n"
        )
        client.connect(broker.host, broker.port, clean_start=True)
        client.subscribe([(each, SubscribeOptions(qos=1)) for each in filters])
        client.loop_start()
        until(lambda: ready, f"{name} listening")
        yield
        client.disconnect()
        client.loop_stop()


@pytest.fixture(params=["influx", "journal"])
def run(request: pytest.FixtureRequest, fast: System) -> dict[str, bytes]:
    """Known, unknown, repeated, torn and malformed taps; a fault; a refused import; dead letters; roll-ups; an end."""
    fast.register(REGISTRY)
    with pytest.raises(AssertionError) as refusal:
        fast.register(BROKEN_REGISTRY)
    (fast.folder / "import.log").write_text(str(refusal.value))
    capture = Capture()
    with capture.listening(fast.broker, service=fast.broker.issue("ingest"), device=_certificate_of_the_machine(fast)):
        history = {"HADIR_HISTORY": f"journal:{fast.folder / 'journal'}"} if request.param == "journal" else {}
        ingester = fast.ingester(**history)
        reader = fast.folder / "reader.sock"
        machine = fast.machine(DMG, f"sim:{reader}", HADIR_SAME_CARD_S="1")
        _live(Finger(reader), machine)
        until(lambda: _has_rolled_up(fast), "roll-ups and minute rows", patience_s=90)
        machine.stop()
    _publish_garbage(fast)
    until(lambda: b"(not_json)" in ingester.log.read_bytes(), "the log of a dead letter")
    ingester.stop()
    return left_behind(fast, bytes(capture.heard))


def _certificate_of_the_machine(system: System) -> Credentials:
    system.broker.admit(DMG)
    return system.broker.issue(DMG)


def _live(finger: Finger, machine: Program) -> None:
    finger.lay(HOLDER)
    until(lambda: machine.shown("confirmed"), "VALIDASI BERHASIL")
    finger.lay(HOLDER)
    finger.fumble()
    finger.break_reader()
    finger.mend_reader()
    finger.lay(STRANGER)
    until(lambda: machine.shown("unknown_card"), "KARTU BELUM TERDAFTAR")


def _has_rolled_up(system: System) -> bool:
    wanted = ("machine", "fleet", "tap_15m", "tap_hour", "attendance_day", "machine_day", "pipeline")
    return all(_points(system, name) for name in wanted)


def _points(system: System, series: str) -> bytes:
    journal = b"".join(path.read_bytes() for path in sorted(system.folder.glob("journal/**/*.lp")))
    bucket = SERIES[series].bucket.value
    rows = system.influx.query(bucket, f'SELECT * FROM "{series}"')
    return b"\n".join(line for line in journal.splitlines() if line.startswith(series.encode() + b",")) or (
        json.dumps(rows).encode() if rows else b""
    )


def _publish_garbage(system: System) -> None:
    """What a broken machine might say: everything it must not, in messages that cannot be read."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=DMG, protocol=mqtt.MQTTv5)
    files = system.broker.credentials(DMG)
    client.tls_set(str(files.ca), str(files.certificate), str(files.key))
    client.connect(system.broker.host, system.broker.port)
    client.loop_start()
    secret = f"{HOLDER.hex()} {HOME} {NAME}"
    for payload in (secret, json.dumps({"v": 1, "device": DMG, "outbox": secret, "confirmed": secret, "records": []})):
        client.publish(str(topics.records(DMG)), payload, qos=1).wait_for_publish(10)
        client.publish(str(topics.heartbeat(DMG)), payload, qos=1).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


# ---- what must hold --------------------------------------------------------------------------------------------------


def _secrets(pepper: bytes) -> dict[str, list[bytes]]:
    return secrets_of({"the resident": HOLDER, "the stranger": STRANGER}, pepper, HOME, "B/03/12", NAME)


def test_nothing_left_behind_names_a_card_a_unit_or_a_person(run: dict[str, bytes], fast: System) -> None:
    pepper = bytes.fromhex((fast.folder / "pepper").read_text())
    assert leaks(run, _secrets(pepper)) == []
    assert all(len(run[name]) > 50 for name in ("ingest-1.log", "DMG-01.log", "import.log", "broker capture")), (
        "the run was seen"
    )
    for series in ("tap", "machine", "fleet", "tap_hour", "attendance_day"):
        assert any(name.endswith(f"points of {series}") and content for name, content in run.items()), series

    for place in run:
        for what, forms in _secrets(pepper).items():
            planted = {**run, place: run[place] + b" " + forms[0]}
            assert leaks(planted, {what: forms}) == [f"{what} in {place}"]


FORMS = {
    "hex": b"uid=04a1b2c3d4e5f6",
    "capital hex": b"04A1B2C3D4E5F6",
    "spaced": b"04 A1 B2 C3 D4 E5 F6",
    "colons": b"04:a1:b2:c3:d4:e5:f6",
    "base64": base64.b64encode(HOLDER),
    "a list of numbers": str(list(HOLDER)).encode(),
    "a Python literal": repr(HOLDER).encode(),
    "a pseudonym": hmac.digest(bytes(32), HOLDER, "sha256").hex().encode(),
    "the head of a pseudonym": hmac.digest(bytes(32), HOLDER, "sha256").hex()[:16].encode(),
    "a unit": b"unit DMG/B/03/12 tapped",
    "a name": b"Siti Rahayu",
}


@pytest.mark.parametrize("planted", FORMS.values(), ids=FORMS)
def test_the_search_finds_a_secret_in_any_form(planted: bytes) -> None:
    assert leaks({"somewhere": b"before " + planted + b" after"}, _secrets(bytes(32)))
    assert leaks({"somewhere": b"before and after"}, _secrets(bytes(32))) == []
