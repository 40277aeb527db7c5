import subprocess

import pytest

from contract import topics
from contract.topics import DeviceId
from provisioning import broker

A, B = DeviceId("DMG-01"), DeviceId("DMG-02")


def rules(text: str) -> dict[str, set[str]]:
    """Each user's rules, read as the broker reads them."""
    by_user: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line.startswith("user "):
            user = line.removeprefix("user ")
            assert user not in by_user, "a user has two blocks"
            by_user[user] = set()
        elif line and not line.startswith("#"):
            by_user[user].add(line)
    return by_user


def test_a_machine_publishes_exactly_its_own_up_topics_and_reads_exactly_its_own_down_topics() -> None:
    assert rules(broker.acl([A]))[A] == {
        f"topic write {topics.records(A)}",
        f"topic write {topics.heartbeat(A)}",
        f"topic write {topics.status(A)}",
        f"topic write {topics.applied(A)}",
        f"topic read {topics.stored(A)}",
        f"topic read {topics.resume(A)}",
        f"topic read {topics.desired(A)}",
    }


def test_ingest_reads_what_machines_send_and_writes_what_they_read() -> None:
    assert rules(broker.acl([]))[broker.Service.INGEST] == {
        *(f"topic read {topics.every(kind)}" for kind in topics.UP),
        *(f"topic write {topics.every(kind)}" for kind in topics.DOWN),
        "topic read $SYS/#",
    }


def test_alerts_hears_itself_and_nothing_else() -> None:
    assert rules(broker.acl([A]))[broker.Service.ALERTS] == {f"topic readwrite {topics.CANARY}"}


def test_only_active_machines_and_services_have_a_block() -> None:
    assert set(rules(broker.acl([B, A, B]))) == {"ingest", "alerts", A, B}
    assert set(rules(broker.acl([B]))) == {"ingest", "alerts", B}


def test_no_rule_is_for_anybody() -> None:
    text = broker.acl([A, B])
    assert "pattern" not in text
    first_rule = next(line for line in text.splitlines() if line and not line.startswith("#"))
    assert first_rule.startswith("user ")


def test_comments_stand_on_their_own_lines() -> None:
    assert all("#" not in line or line.startswith("#") or line.endswith("/#") for line in broker.acl([A]).splitlines())


def test_the_same_machines_give_the_same_text_in_any_order() -> None:
    assert broker.acl([A, B]) == broker.acl([B, A])


def test_no_machine_can_be_named_like_a_service() -> None:
    for service in broker.Service:
        with pytest.raises(topics.BadTopic):
            DeviceId(service)


def test_a_process_that_is_no_broker_is_never_signalled() -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        with pytest.raises(broker.BrokerUnreachable, match="no running broker"):
            broker.reload(bystander.pid)
        assert bystander.poll() is None
        bystander.kill()
