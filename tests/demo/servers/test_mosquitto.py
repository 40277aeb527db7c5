import socket

import pytest

from demo.servers import mosquitto as mosquitto_server
from demo.servers.mosquitto import Mosquitto
from demo.servers.process import ServerFailed


def answers(server: Mosquitto) -> bool:
    try:
        socket.create_connection((server.host, server.port), timeout=2).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.integration
def test_the_broker_serves_dies_and_comes_back_on_the_same_port(mosquitto: Mosquitto) -> None:
    assert answers(mosquitto)
    mosquitto.kill()
    assert not answers(mosquitto)
    mosquitto.start()
    assert answers(mosquitto)
    mosquitto.restart()
    assert answers(mosquitto)
    mosquitto.stop()
    assert not answers(mosquitto)


@pytest.mark.integration
def test_starting_twice_is_starting_once(mosquitto: Mosquitto) -> None:
    pid = mosquitto.pid
    mosquitto.start()
    assert mosquitto.pid == pid


@pytest.mark.integration
def test_what_runs_is_the_shipped_configuration_but_for_two_lines(mosquitto: Mosquitto) -> None:
    shipped = mosquitto_server.SHIPPED.read_text().splitlines()
    used = (mosquitto.folder / "mosquitto.conf").read_text().splitlines()
    changed = [old for old, new in zip(shipped, used, strict=True) if old != new]
    assert set(changed) <= {"user mosquitto", "listener 8883"}


def test_the_listener_is_on_loopback_alone() -> None:
    text = mosquitto_server.for_loopback(mosquitto_server.SHIPPED.read_text(), port=4711, user="root")
    assert [line for line in text.splitlines() if line.startswith("listener")] == ["listener 4711 127.0.0.1"]


def test_the_shipped_file_says_what_no_test_can_see_from_outside() -> None:
    shipped = mosquitto_server.SHIPPED.read_text().splitlines()
    for setting in ("tls_version tlsv1.2", "allow_anonymous false", "user mosquitto", "sys_interval 10"):
        assert shipped.count(setting) == 1


def test_a_comment_in_the_shipped_file_stands_on_its_own_line() -> None:
    settings = [line for line in mosquitto_server.SHIPPED.read_text().splitlines() if not line.startswith("#")]
    assert not [line for line in settings if "#" in line]


def test_a_shipped_file_without_its_listener_is_not_run_open() -> None:
    with pytest.raises(ServerFailed, match="exactly once"):
        mosquitto_server.for_loopback("user mosquitto\n", port=4711, user="root")
