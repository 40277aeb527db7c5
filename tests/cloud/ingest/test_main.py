"""The program itself: it starts from its environment, stores and answers over TLS, and ends cleanly on SIGTERM."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
from contextlib import contextmanager

import aiomqtt
import pytest
from click.testing import CliRunner

from cloud.ingest.__main__ import main
from cloud.records import migrate, open_records
from contract import codec, topics
from contract.messages import Envelope, Stored
from provisioning import keys
from provisioning.broker import Service


@pytest.fixture
def environment(tmp_path, mosquitto, small_world):
    mosquitto.admit(small_world.DEVICE)
    own = mosquitto.issue(Service.INGEST)
    keys.new_sealing_key(tmp_path / "keys", "k9")
    keys.new_pepper(tmp_path / "pepper")
    return {
        "HADIR_DATABASE_URL": f"sqlite:///{tmp_path}/small.db",
        "HADIR_HISTORY": f"journal:{tmp_path}/journal",
        "HADIR_BROKER": f"mqtts://127.0.0.1:{mosquitto.port}",
        "HADIR_CA_FILE": str(own.ca),
        "HADIR_CERT_FILE": str(own.certificate),
        "HADIR_KEY_FILE": str(own.key),
        "HADIR_OPENING_KEYS_DIR": str(tmp_path / "keys"),
        "HADIR_PEPPER_FILE": str(tmp_path / "pepper"),
        "HADIR_INSTANCE": "test",
        "HADIR_READY_FILE": str(tmp_path / "ready"),
    }


@contextmanager
def ingester(environment):
    command = [sys.executable, "-m", "cloud.ingest", "run"]
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


async def appears(path):
    async with asyncio.timeout(20):
        while not path.exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.05)


@pytest.mark.integration
async def test_a_record_is_stored_and_answered_and_sigterm_is_a_clean_end(
    environment, tmp_path, mosquitto, small_world
):
    device, machine = small_world.DEVICE, small_world.machine
    own = mosquitto.issue(device)
    tls = ssl.create_default_context(cafile=own.ca)
    tls.load_cert_chain(own.certificate, own.key)
    with ingester(environment) as process:
        await appears(tmp_path / "ready")
        client = aiomqtt.Client(
            "127.0.0.1", mosquitto.port, identifier=device, tls_context=tls, protocol=aiomqtt.ProtocolVersion.V5
        )
        async with client:
            await client.subscribe(str(topics.stored(device)), qos=1)
            envelope = Envelope(device=device, outbox=small_world.OUTBOX, confirmed=0)
            await client.publish(str(topics.records(device)), b"garbage", qos=1)
            bodies = [codec.body(machine.hours(1)), codec.body(machine.tap(2))]
            await client.publish(str(topics.records(device)), codec.encode_batch(envelope, bodies), qos=1)
            message = await asyncio.wait_for(anext(aiter(client.messages)), 10)
        answer = codec.decode(bytes(message.payload), Stored, device=device)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
        log = process.stderr.read()
    assert (answer.upto, answer.held) == (2, {2: "unknown_key"})
    assert not (tmp_path / "ready").exists()
    assert "Traceback" not in log
    assert "dead_letter" in log


def test_a_setting_that_is_missing_or_wrong_stops_the_start_and_is_named(monkeypatch):
    for name in [name for name in os.environ if name.startswith("HADIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HADIR_BROKER", "mqtt://plain")
    result = CliRunner().invoke(main, ["run"])
    assert result.exit_code == 1
    assert "HADIR_DATABASE_URL" in result.output or "HADIR_HISTORY: Field required" in result.output
    assert "HADIR_BROKER: Value error, must be mqtts://" in result.output


def test_dead_letters_are_listed_and_shown(tmp_path, monkeypatch):
    from cloud.records import dead_letters
    from cloud.records.verdicts import Letter

    url = f"sqlite:///{tmp_path}/r.db"
    migrate.upgrade(url)
    letter = Letter(0, "mqtt", "hadir/v1/DMG-01/records", "not_json", "the payload is not JSON", b"\xff{")
    with open_records(url) as records:
        records.write(lambda connection: dead_letters.file(connection, [letter]))
    monkeypatch.setenv("HADIR_DATABASE_URL", url)
    listed = CliRunner().invoke(main, ["dead-letters", "list"])
    assert (listed.exit_code, "not_json" in listed.output) == (0, True)
    shown = CliRunner().invoke(main, ["dead-letters", "show", "1"])
    assert "the payload is not JSON" in shown.output
    assert "b'\\xff{'" in shown.output
    assert CliRunner().invoke(main, ["dead-letters", "show", "7"]).exit_code == 1
