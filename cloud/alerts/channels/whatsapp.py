"""Channel to the WhatsApp Cloud API. An address is a phone number; only approved templates are sent.

Accepted is not delivered: that a message arrived, or did not, is told later by `receipts`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cloud.alerts.channels import BadChannelUrl, Outgoing, Secrets, Taken, Text, Traits, Trouble, Undelivered
from cloud.alerts.channels.posting import Answer, Poster, encoded
from cloud.alerts.channels.receipts import Receipt

OFFICIAL: Final = "https://graph.facebook.com/v23.0"
LANGUAGE: Final = "id"
NEWS: Final = "hadir_kabar"
"""Template of a single message; its four places: headline, effect, what to do, link."""
LIST: Final = "hadir_daftar"
"""Template of a bundle or digest; its three places: headline, what it lists, link."""
_NOTHING: Final = "-"  # a place must not be empty

_TEMPORARY: Final = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004})
_ADDRESS: Final = frozenset({131021, 131026, 131050})
_CONFIGURATION: Final = frozenset(
    {0, 3, 10, 33, 190, 368, 130497, 131005, 131030, 131031, 131042, 131045, 132000, 132001, 132007, 132015, 132016}
)


class BadReceipt(ValueError):
    """What came is no receipt of WhatsApp's: whoever sent it does not have our app's secret, or it cannot be read."""


class WhatsAppChannel:
    """A business's phone number (`sender`) and the token that may send from it."""

    traits: Final = Traits(max_chars=800)

    def __init__(self, base: str | None, secrets: Secrets, *, poster: Poster | None = None) -> None:
        if not secrets.token or not secrets.sender.isdigit():
            raise BadChannelUrl("whatsapp needs an access token in a file of its own, and the phone number's id")
        self._url = f"{base or OFFICIAL}/{secrets.sender}/messages"
        self._token = secrets.token
        self._poster = poster or Poster("WhatsApp")

    def send(self, message: Outgoing) -> Taken:
        """Send *message* in its template. It is accepted, never delivered: that only a receipt says."""
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.address,
            "type": "template",
            "template": _template(message.text),
            "biz_opaque_callback_data": message.key,
        }
        answer = self._poster.post(self._url, encoded(body), {"Authorization": f"Bearer {self._token}"})
        sent = answer.body.get("messages")
        if answer.is_good and isinstance(sent, list) and sent and isinstance(sent[0], dict):
            return Taken(str(sent[0].get("id", "")) or None)
        raise _refusal(answer)

    def close(self) -> None:
        """Give the connections back."""
        self._poster.close()


def receipts(body: bytes, signature: str, *, secret: str) -> list[Receipt]:
    """The receipts in a call of our webhook; *signature* is its `X-Hub-Signature-256`. Raises `BadReceipt`."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise BadReceipt("the signature of a receipt is wrong: it is not WhatsApp's, and was ignored")
    try:
        return [_receipt(status) for status in _statuses(json.loads(body))]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadReceipt("a signed receipt cannot be read: WhatsApp may have changed its format") from None


def trouble_of(code: int, status: int = 400) -> Trouble:
    """What an error's *code* means; where it is unknown, the HTTP *status* decides."""
    if code in _TEMPORARY:
        return Trouble.TEMPORARY
    if code in _ADDRESS:
        return Trouble.ADDRESS
    if code in _CONFIGURATION or 200 <= code < 300 or status in (401, 403):
        return Trouble.CONFIGURATION
    return Trouble.TEMPORARY if status == 429 or status >= 500 else Trouble.REFUSED


def _template(text: Text) -> dict[str, object]:
    name, places = (LIST, _list_places(text)) if text.lines else (NEWS, _news_places(text))
    parameters = [{"type": "text", "text": _flat(place)} for place in places]
    body = {"type": "body", "parameters": parameters}
    return {"name": name, "language": {"code": LANGUAGE}, "components": [body]}


def _news_places(text: Text) -> tuple[str, ...]:
    return text.headline, text.impact, text.action, text.link


def _list_places(text: Text) -> tuple[str, ...]:
    return text.headline, " · ".join(part for part in (*text.lines, text.closing) if part), text.link


def _flat(text: str) -> str:
    """A place holds neither line breaks nor runs of spaces."""
    return " ".join(text.split()) or _NOTHING


def _refusal(answer: Answer) -> Undelivered:
    error = answer.body.get("error")
    code = int(error.get("code", -1)) if isinstance(error, dict) else -1
    trouble = Trouble.TEMPORARY if answer.is_good else trouble_of(code, answer.status)
    return Undelivered(trouble, _advice(trouble, code, answer.status), retry_after_s=answer.retry_after_s)


def _advice(trouble: Trouble, code: int, status: int) -> str:
    what = f"WhatsApp answers {status}, code {code}"
    match trouble:
        case Trouble.ADDRESS:
            return f"{what}: this number cannot get messages; give the person another address"
        case Trouble.CONFIGURATION:
            return (
                f"{what}: our token, number or template is refused; nothing goes out by WhatsApp until that is mended"
            )
        case Trouble.REFUSED:
            return f"{what}: this message is refused; it goes by another channel"
        case _:
            return f"{what}: it is tried again"


def _statuses(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:  # Any: JSON
    for entry in body.get("entry", []):
        for change in entry.get("changes", []):
            yield from change.get("value", {}).get("statuses", [])


def _receipt(status: Mapping[str, Any]) -> Receipt:
    errors = status.get("errors") or []
    trouble = trouble_of(int(errors[0].get("code", -1))) if errors else None
    return Receipt(str(status["id"]), str(status["status"]), trouble)
