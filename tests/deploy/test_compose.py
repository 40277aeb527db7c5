"""docker-compose.yml: valid, pinned, unprivileged, without a secret. test_server_room.py shows that it works."""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from cloud.alerts.settings import Settings as AlertSettings
from cloud.environment import PREFIX
from cloud.ingest.settings import Settings
from demo import elsewhere

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
SERVERS = {name for name, service in SERVICES.items() if service["restart"] != "no"}
HANDING_OUT = {"setup", "tokens"}
"""They give files to other users; nobody else may be root."""


def validated(compose: Any, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the compose specification's own schema says; the checker brings it along, and asks no network."""
    (folder / "docker-compose.yml").write_text(yaml.safe_dump(compose))
    checker = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([*checker, folder / "docker-compose.yml"], capture_output=True, text=True, check=False)


def test_it_follows_the_compose_specification(tmp_path: Path) -> None:
    answer = validated(COMPOSE, tmp_path)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize(
    "fault", [{"imagee": "x"}, {"healthcheck": {"test": 1}}, {"depends_on": {"x": {"condition": "soon"}}}]
)
def test_the_schema_notices_a_fault(tmp_path: Path, fault: dict[str, Any]) -> None:
    spoilt = copy.deepcopy(COMPOSE)
    spoilt["services"]["ingest"] |= fault
    assert validated(spoilt, tmp_path).returncode == 1


def version(image: str) -> tuple[int, ...]:
    """`name:1.2.3[-variant][@sha256:…]` as numbers; nothing else is a pin."""
    pinned = re.fullmatch(r"[\w./-]+:(\d+(?:\.\d+)+)(?:-[\w.]+)*(?:@sha256:[0-9a-f]{64})?", image)
    assert pinned, f"{image} names no version"
    return tuple(map(int, pinned[1].split(".")))


def test_every_image_is_pinned_to_the_version_that_was_meant() -> None:
    versions = {name: version(service["image"]) for name, service in SERVICES.items()}
    assert (2, 0, 20) <= versions["mosquitto"] < (2, 1)
    assert versions["influxdb"][:2] == (2, 7)
    assert versions["grafana"][:2] == (12, 4)
    assert versions["postgres"][0] == 17
    assert {len(version(image)) for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)} == {3}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_unprivileged_and_bounded(service: str) -> None:
    asked = SERVICES[service]
    user, _, group = asked["user"].partition(":")
    assert user.isdigit() and group.isdigit()
    assert (user == "0") == (service in HANDING_OUT)
    assert asked["read_only"] is True
    assert asked["cap_drop"] == ["ALL"]
    assert set(asked.get("cap_add", [])) <= ({"CHOWN", "DAC_OVERRIDE", "FOWNER"} if service in HANDING_OUT else set())
    assert asked["security_opt"] == ["no-new-privileges:true"]
    assert not asked.get("privileged") and asked.get("network_mode") in (None, "none")
    assert set(asked["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("service", sorted(SERVERS))
def test_a_server_is_looked_after(service: str) -> None:
    check = SERVICES[service]["healthcheck"]
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(check)
    assert SERVICES[service]["restart"] == "unless-stopped"


def test_nothing_starts_before_what_it_needs() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_healthy" if needed in SERVERS else "service_completed_successfully"
            assert how == {"condition": expected}, f"{name} needs {needed}"
    for service in ("ingest", "alerts"):
        assert set(SERVICES[service]["depends_on"]) == {"mosquitto", "tables", "tokens"}, service


def test_one_round_that_failed_makes_no_sick_alert_worker() -> None:
    """It takes a minute until the next one has ended well."""
    check = SERVICES["alerts"]["healthcheck"]
    seconds = int(check["interval"].removesuffix("s")) * (check["retries"] - 1)
    assert seconds > 60


def test_the_databases_cannot_be_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"mosquitto", "grafana"}
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert SERVICES["influxdb"]["networks"] == SERVICES["postgres"]["networks"] == ["back"]


def strings(value: Any) -> Iterator[tuple[str, str]]:
    """Every environment variable of every service."""
    for service in value["services"].values():
        yield from service.get("environment", {}).items()


def test_no_secret_stands_in_it() -> None:
    for name, value in strings(COMPOSE):
        if re.search(r"PASSWORD|TOKEN|SECRET|KEY|PEPPER|DATABASE_URL", name):
            assert name.endswith(("_FILE", "_DIR")) and value.startswith(("/run/", "/sim/")), name
    assert not re.search(r"[0-9a-f]{32}|BEGIN |://[^/\s]*:[^/\s]*@", TEXT)
    assert {tuple(secret) for secret in COMPOSE["secrets"].values()} == {("file",)}


def test_secrets_stay_out_of_the_repository_and_the_image() -> None:
    mounts = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    shipped = {"./deploy/mosquitto.conf", "./grafana/provisioning", "./grafana/dashboards"}
    of_the_host = {mount for mount in mounts if mount.startswith(".")} - shipped
    secrets = {secret["file"] for secret in COMPOSE["secrets"].values()} | of_the_host
    assert all(re.match(r"\./secrets(/|$)", path) for path in secrets), secrets
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#!"]
    assert ignored[0] == "*"


def test_a_service_gets_exactly_the_secrets_that_it_reads() -> None:
    for name, service in SERVICES.items():
        told = " ".join([*map(str, service.get("environment", {}).values()), *service.get("command", [])])
        named = set(re.findall(r"/run/secrets/(\w+)", told))
        if name == "grafana":
            provisioned = (ROOT / "grafana/provisioning/datasources/hadir.yaml").read_text()
            named |= set(re.findall(r"\$__file\{/run/secrets/(\w+)\}", provisioned))
        assert set(service.get("secrets", [])) == named, name
    assert {secret for service in SERVICES.values() for secret in service.get("secrets", [])} == set(COMPOSE["secrets"])


def test_our_services_understand_every_variable_they_are_given() -> None:
    for service, settings in (("ingest", Settings), ("alerts", AlertSettings)):
        understood = {f"{PREFIX}{name.upper()}" for name in settings.model_fields}
        assert set(SERVICES[service]["environment"]) <= understood, service
    machines = {o.envvar for o in elsewhere.machines.params if isinstance(o, click.Option) and o.envvar}
    assert set(SERVICES["sim"]["environment"]) == machines


def test_without_a_channel_of_its_own_the_alert_worker_speaks_in_its_log() -> None:
    assert SERVICES["alerts"]["environment"]["HADIR_CHANNELS"] == "${HADIR_CHANNELS:-console:}"
    assert AlertSettings.model_fields["channels"].default == "console:"


def test_grafana_is_closed_indonesian_and_quiet() -> None:
    told = SERVICES["grafana"]["environment"]
    expected = {
        "GF_AUTH_ANONYMOUS_ENABLED": "false",
        "GF_PUBLIC_DASHBOARDS_ENABLED": "false",
        "GF_SNAPSHOTS_ENABLED": "false",
        "GF_USERS_ALLOW_SIGN_UP": "false",
        "GF_USERS_DEFAULT_LANGUAGE": "id-ID",
        "GF_DATE_FORMATS_DEFAULT_TIMEZONE": "Asia/Jakarta",
        "GF_DATE_FORMATS_DEFAULT_WEEK_START": "monday",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    }
    assert {name: told[name] for name in expected} == expected


def test_grafana_gets_all_that_its_provisioning_files_ask_for() -> None:
    files = [path.read_text() for path in (ROOT / "grafana/provisioning").rglob("*") if path.is_file()]
    asked = {name for text in files for name in re.findall(r'[:"] ?"?\$([A-Z][A-Z_]+)\b', text)}
    assert asked == {"INFLUX_URL", "HADIR_ALARM_URL"}
    assert asked <= set(SERVICES["grafana"]["environment"])
    # `:-` also replaces an empty value, with which Grafana would not start.
    assert re.fullmatch(r"\$\{HADIR_ALARM_URL:-http://\S+\}", SERVICES["grafana"]["environment"]["HADIR_ALARM_URL"])
    providers = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/hadir.yaml").read_text())["providers"]
    assert f"./grafana/dashboards:{providers[0]['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


def test_the_broker_runs_the_shipped_file() -> None:
    broker = SERVICES["mosquitto"]
    assert broker["command"] == ["mosquitto", "-c", "/etc/hadir/mosquitto.conf"]
    assert "./deploy/mosquitto.conf:/etc/hadir/mosquitto.conf:ro" in broker["volumes"]
    assert f"./secrets/broker:{broker['working_dir']}" in broker["volumes"], "the file's paths are relative to it"


def test_the_image_is_locked_and_unprivileged_and_has_no_compiler() -> None:
    build, _, run = DOCKERFILE.rpartition("\nFROM ")
    for line in re.findall(r"/pip (?:--python \S+ )?(?:install|wheel).*", build):
        assert "--require-hashes" in line or "--no-index" in line or "--no-build-isolation . " in line, line
    assert run.rstrip().endswith("USER 10001:10001")
    assert "apt-get" not in DOCKERFILE and "pip" not in run


def test_what_is_mounted_writable_is_named() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source, target, *mode = volume.split(":")
            if source.startswith(".") and mode != ["ro"]:
                assert (name, target) in {("mosquitto", "/broker"), ("tokens", "/secrets"), ("setup", "/secrets")}
            elif not source.startswith("."):
                assert source in COMPOSE["volumes"]
