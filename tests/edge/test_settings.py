"""What a machine must be told, and how it says that something is missing."""

import pytest

from edge.settings import BadSettings, Settings

GOOD = {
    "HADIR_DEVICE": "DMG-01",
    "HADIR_BROKER": "mqtts://mqtt.example.id",
    "HADIR_CA_FILE": "/etc/hadir/ca.pem",
    "HADIR_CERT_FILE": "/etc/hadir/machine.pem",
    "HADIR_KEY_FILE": "/etc/hadir/machine.key",
    "HADIR_SEALING_KEY_FILE": "/etc/hadir/sealing.key",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_six_settings_describe_a_machine(environment) -> None:
    settings = Settings.read()
    assert (settings.device, settings.broker_host, settings.broker_port) == ("DMG-01", "mqtt.example.id", 8883)
    assert (settings.resend_first_s, settings.resend_max_s, settings.keep_days) == (30, 600, 35)


def test_the_port_may_be_another(environment) -> None:
    environment.setenv("HADIR_BROKER", "mqtts://mqtt.example.id:443")
    assert Settings.read().broker_port == 443


@pytest.mark.parametrize("name", sorted(GOOD))
def test_what_is_missing_is_named(environment, name) -> None:
    environment.delenv(name)
    with pytest.raises(BadSettings, match=f"{name}: "):
        Settings.read()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HADIR_DEVICE", "kiosk"),
        ("HADIR_BROKER", "mqtt://mqtt.example.id"),
        ("HADIR_BROKER", "mqtts://"),
        ("HADIR_BROKER", "mqtts://host:port"),
        ("HADIR_HEARTBEAT_S", "0"),
        ("HADIR_RESEND_FIRST_S", "soon"),
        ("HADIR_ROW_BUDGET", "1"),
        ("HADIR_LOG_LEVEL", "LOUD"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(environment, name, value) -> None:
    environment.setenv(name, value)
    with pytest.raises(BadSettings, match=f"{name}: ") as caught:
        Settings.read()
    assert f"'{value}'" not in str(caught.value) or name == "HADIR_DEVICE"
