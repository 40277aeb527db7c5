"""Telegram's Bot API as it is documented, on a server of our own."""

from collections.abc import Iterator

import answering
import pytest
from answering import Answerer, Says

from cloud.alerts.channels import Channel, Outgoing, Secrets, Text, Trouble, Undelivered, open_channel

MESSAGE = Outgoing("17", "-100123", Text("Kepala", "Dampak: a & <b>"))


@pytest.fixture
def server() -> Iterator[Answerer]:
    with Answerer(answering.telegram) as started:
        yield started


@pytest.fixture
def channel(server: Answerer) -> Channel:
    return open_channel(f"telegram:{server.url}", Secrets("12:abc"))


def refusal(channel: Channel, message: Outgoing = MESSAGE) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        channel.send(message)
    return caught.value


def says(code: int, description: str, **parameters: int) -> Says:
    return Says(code, {"ok": False, "error_code": code, "description": description, "parameters": parameters})


def test_plain_text_goes_to_the_chat_without_a_preview(server: Answerer, channel: Channel) -> None:
    assert channel.send(MESSAGE).reference == "4711"
    (asked,) = server.asked
    assert asked.path == "/bot12:abc/sendMessage"
    assert asked.body == {
        "chat_id": "-100123",
        "text": "Kepala\nDampak: a & <b>",
        "link_preview_options": {"is_disabled": True},
    }


def test_patience_is_asked_for_in_seconds(server: Answerer, channel: Channel) -> None:
    server.script.append(says(429, "Too Many Requests: retry after 31", retry_after=31))
    error = refusal(channel)
    assert (error.trouble, error.retry_after_s) == (Trouble.TEMPORARY, 31)


def test_a_group_that_has_moved_says_where_to(server: Answerer, channel: Channel) -> None:
    moved = "Bad Request: group chat was upgraded to a supergroup chat"
    server.script.append(says(400, moved, migrate_to_chat_id=-1001234567890))
    assert refusal(channel).moved_to == "-1001234567890"


def test_a_message_is_rewritten_in_place(server: Answerer, channel: Channel) -> None:
    taken = channel.send(Outgoing("18", "-100123", Text("Kepala"), amends="4700"))
    assert taken.reference == "4700"
    assert server.asked[0].path.endswith("/editMessageText")
    assert server.asked[0].body["message_id"] == 4700


def test_a_message_that_reads_so_already_is_as_good_as_rewritten(server: Answerer, channel: Channel) -> None:
    server.script.append(says(400, "Bad Request: message is not modified: specified new message content is the same"))
    assert channel.send(Outgoing("18", "-100123", Text("Kepala"), amends="4700")).reference == "4700"


@pytest.mark.parametrize(
    ("code", "description", "trouble"),
    [
        (400, "Bad Request: chat not found", Trouble.ADDRESS),
        (403, "Forbidden: bot was kicked from the supergroup chat", Trouble.ADDRESS),
        (400, "Bad Request: message to edit not found", Trouble.REFUSED),
        (401, "Unauthorized", Trouble.CONFIGURATION),
        (404, "Not Found", Trouble.CONFIGURATION),
        (500, "Internal Server Error", Trouble.TEMPORARY),
        (502, "Bad Gateway", Trouble.TEMPORARY),
    ],
)
def test_what_an_answer_means(
    server: Answerer, channel: Channel, code: int, description: str, trouble: Trouble
) -> None:
    server.script.append(says(code, description))
    assert refusal(channel).trouble is trouble


def test_more_than_4096_characters_are_refused_and_never_lost_in_silence(channel: Channel) -> None:
    assert refusal(channel, Outgoing("17", "1", Text("K" * 4097))).trouble is Trouble.REFUSED


@pytest.mark.parametrize("body", ["", "<html>", "[]", '{"ok": false}'])
def test_an_answer_that_cannot_be_read_is_no_success(server: Answerer, channel: Channel, body: str) -> None:
    server.script.append(Says(200, body))
    assert refusal(channel).trouble is Trouble.TEMPORARY
