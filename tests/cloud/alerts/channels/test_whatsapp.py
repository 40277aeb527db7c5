"""The WhatsApp Cloud API as it is documented, on a server of our own; and what its receipts say."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import answering
import pytest
from answering import Answerer

from cloud.alerts.channels import Channel, Outgoing, Secrets, Text, Trouble, Undelivered, open_channel, whatsapp
from cloud.alerts.channels.receipts import Receipt

NEWS = Text("Kepala", "Dampak: a\nb", "Tindakan:   c", "Tautan: https://hadir.example/flags/F")
SECRET = "app-secret"


@pytest.fixture
def server() -> Iterator[Answerer]:
    with Answerer(answering.whatsapp) as started:
        yield started


@pytest.fixture
def channel(server: Answerer) -> Channel:
    return open_channel(f"whatsapp:{server.url}", Secrets("token", "62811"))


def test_news_goes_in_an_approved_template(server: Answerer, channel: Channel) -> None:
    taken = channel.send(Outgoing("17", "62811000111", NEWS))
    assert (taken.reference, taken.is_delivered) == ("wamid.17", False)
    (asked,) = server.asked
    assert asked.path == "/62811/messages"
    assert asked.headers["authorization"] == "Bearer token"
    template = asked.body["template"]
    assert (template["name"], template["language"]) == (whatsapp.NEWS, {"code": "id"})
    places = [place["text"] for place in template["components"][0]["parameters"]]
    assert places == ["Kepala", "Dampak: a b", "Tindakan: c", "Tautan: https://hadir.example/flags/F"]
    assert asked.body["type"] == "template"


def test_a_list_has_a_template_of_its_own(server: Answerer, channel: Channel) -> None:
    channel.send(Outgoing("17", "62811000111", Text("Kepala", lines=("a", "b"), closing="c")))
    template = server.asked[0].body["template"]
    assert template["name"] == whatsapp.LIST
    assert [place["text"] for place in template["components"][0]["parameters"]] == ["Kepala", "a · b · c", "-"]


@pytest.mark.parametrize(
    ("code", "status", "trouble"),
    [
        (130429, 400, Trouble.TEMPORARY),
        (131056, 400, Trouble.TEMPORARY),
        (131000, 500, Trouble.TEMPORARY),
        (131026, 400, Trouble.ADDRESS),
        (190, 401, Trouble.CONFIGURATION),
        (200, 403, Trouble.CONFIGURATION),
        (132001, 404, Trouble.CONFIGURATION),
        (131047, 400, Trouble.REFUSED),
        (132018, 400, Trouble.REFUSED),
        (100, 400, Trouble.REFUSED),
        (999999, 503, Trouble.TEMPORARY),
        (999999, 401, Trouble.CONFIGURATION),
    ],
)
def test_the_code_decides_never_the_title(
    server: Answerer, channel: Channel, code: int, status: int, trouble: Trouble
) -> None:
    server.script.append(answering.whatsapp_error(code, "Rate limit hit", status))
    with pytest.raises(Undelivered) as caught:
        channel.send(Outgoing("17", "62811000111", NEWS))
    assert caught.value.trouble is trouble


# ---- receipts --------------------------------------------------------------------------------------------------------


def call(*statuses: dict[str, Any]) -> bytes:
    value = {"messaging_product": "whatsapp", "statuses": list(statuses)}
    changes = [{"field": "messages", "value": value}]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_receipts_say_what_became_of_each_message() -> None:
    failed = {"id": "wamid.2", "status": "failed", "errors": [{"code": 131026, "title": "Message undeliverable"}]}
    body = call({"id": "wamid.1", "status": "delivered"}, failed)
    assert whatsapp.receipts(body, signed(body), secret=SECRET) == [
        Receipt("wamid.1", "delivered"),
        Receipt("wamid.2", "failed", Trouble.ADDRESS),
    ]


@pytest.mark.parametrize(("status", "has_arrived"), [("sent", False), ("delivered", True), ("read", True)])
def test_sent_is_not_arrived(status: str, has_arrived: bool) -> None:
    assert Receipt("wamid.1", status).is_delivered is has_arrived


@pytest.mark.parametrize("signature", ["", "sha256=00", signed(call(), "another")])
def test_a_receipt_that_is_not_whatsapps_is_ignored(signature: str) -> None:
    with pytest.raises(whatsapp.BadReceipt, match="signature"):
        whatsapp.receipts(call(), signature, secret=SECRET)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"entry": 3}', b'{"entry": [{"changes": [{"value": {"statuses": [{}]}}]}]}']
)
def test_a_signed_receipt_that_cannot_be_read_says_so(body: bytes) -> None:
    with pytest.raises(whatsapp.BadReceipt, match="cannot be read"):
        whatsapp.receipts(body, signed(body), secret=SECRET)


def test_a_call_about_something_else_holds_no_receipt() -> None:
    body = json.dumps({"entry": [{"changes": [{"value": {"messages": [{"id": "x"}]}}]}]}).encode()
    assert whatsapp.receipts(body, signed(body), secret=SECRET) == []


@pytest.mark.parametrize(
    ("name", "text"), [(whatsapp.NEWS, NEWS), (whatsapp.LIST, Text("Kepala", lines=("a",)))], ids=["news", "list"]
)
def test_the_template_to_be_submitted_has_as_many_places_as_are_filled(
    server: Answerer, channel: Channel, name: str, text: Text
) -> None:
    page = (Path(__file__).parents[4] / "docs" / "notifications.md").read_text("utf-8")
    body = page.split(f"`{name}`\n```\n")[1].split("```")[0]
    channel.send(Outgoing("17", "62811000111", text))
    filled = server.asked[0].body["template"]["components"][0]["parameters"]
    assert re.findall(r"\{\{(\d)\}\}", body) == [str(number + 1) for number in range(len(filled))]
    assert not body.startswith("{{") and not body.rstrip().endswith("}}")
