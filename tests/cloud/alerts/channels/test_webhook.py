"""Somebody's own program: what it is sent, and what its answers mean."""

from collections.abc import Iterator

import answering
import pytest
from answering import Answerer, Says

from cloud.alerts.channels import Channel, Outgoing, Secrets, Text, Trouble, Undelivered, open_channel, webhook

KEY = "signing-key"


@pytest.fixture
def server() -> Iterator[Answerer]:
    with Answerer(answering.webhook) as started:
        yield started


@pytest.fixture
def channel() -> Channel:
    return open_channel("webhook:", Secrets(KEY))


def outgoing(server: Answerer) -> Outgoing:
    return Outgoing("17", f"{server.url}/hook?token=s", Text("Kepala", "Dampak: ü", link="Tautan: https://x/flags/F"))


def test_what_it_gets_is_signed_and_says_which_message_it_is(server: Answerer, channel: Channel) -> None:
    channel.send(outgoing(server))
    (asked,) = server.asked
    assert asked.path == "/hook?token=s"
    assert asked.headers["idempotency-key"] == "17"
    assert asked.headers["x-hadir-signature"] == webhook.signature(KEY.encode(), asked.raw)
    assert asked.headers["content-type"] == "application/json"
    assert asked.body["headline"] == "Kepala"


def test_the_same_message_is_the_same_bytes(server: Answerer, channel: Channel) -> None:
    for _ in range(2):
        channel.send(outgoing(server))
    first, second = server.asked
    assert first.raw == second.raw


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (408, Trouble.TEMPORARY),
        (429, Trouble.TEMPORARY),
        (500, Trouble.TEMPORARY),
        (503, Trouble.TEMPORARY),
        (400, Trouble.REFUSED),
        (413, Trouble.REFUSED),
        (301, Trouble.ADDRESS),
        (401, Trouble.ADDRESS),
        (404, Trouble.ADDRESS),
        (410, Trouble.ADDRESS),
    ],
)
def test_what_an_answer_means(server: Answerer, channel: Channel, status: int, trouble: Trouble) -> None:
    server.script.append(Says(status, "", {"Location": f"{server.url}/elsewhere", "Retry-After": "9"}))
    with pytest.raises(Undelivered) as caught:
        channel.send(outgoing(server))
    assert caught.value.trouble is trouble
    assert caught.value.retry_after_s == (9 if trouble is Trouble.TEMPORARY else 0)
    assert len(server.asked) == 1


@pytest.mark.parametrize("address", ["http://hook.example/x", "ftp://hook.example", "hook", ""])
def test_what_is_no_safe_address_is_never_called(channel: Channel, address: str) -> None:
    with pytest.raises(Undelivered, match="https://") as caught:
        channel.send(Outgoing("17", address, Text("Kepala")))
    assert caught.value.trouble is Trouble.ADDRESS
