"""Channel to somebody's own program: a signed POST. An address is a URL, which may hold secrets and is never quoted.

The body is signed (HMAC-SHA256, `X-Hadir-Signature`); `Idempotency-Key` is the same on every repeat of a message.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from cloud.alerts.channels import BadChannelUrl, Outgoing, Secrets, Taken, Traits, Trouble, Undelivered
from cloud.alerts.channels.posting import Answer, Poster, encoded

_LATER: Final = frozenset({408, 425, 429})
_NOT_THIS: Final = frozenset({400, 413, 415, 422})
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class WebhookChannel:
    """Posts to the URL of each address, signed with one key."""

    traits: Final = Traits(max_chars=3500)

    def __init__(self, secrets: Secrets, *, poster: Poster | None = None) -> None:
        if not secrets.token:
            raise BadChannelUrl("webhook needs the key that signs, in a file of its own")
        self._key = secrets.token.encode()
        self._poster = poster or Poster("the webhook")

    def send(self, message: Outgoing) -> Taken:
        """Post *message*."""
        if not _is_safe(message.address):
            raise Undelivered(Trouble.ADDRESS, "the webhook's address is no https:// URL: give the person another one")
        text = message.text
        body = encoded({"key": message.key, "headline": text.headline, "text": text.plain(), "link": text.link})
        headers = {"Idempotency-Key": message.key, "X-Hadir-Signature": signature(self._key, body)}
        answer = self._poster.post(message.address, body, headers)
        if answer.is_good:
            return Taken(message.key, is_delivered=True)
        raise _refusal(answer)

    def close(self) -> None:
        """Give the connections back."""
        self._poster.close()


def signature(key: bytes, body: bytes) -> str:
    """What `X-Hadir-Signature` must be for *body*."""
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _refusal(answer: Answer) -> Undelivered:
    what = f"the webhook answers {answer.status}"
    if answer.status in _LATER or answer.status >= 500:
        return Undelivered(Trouble.TEMPORARY, f"{what}: it is tried again", retry_after_s=answer.retry_after_s)
    if answer.status in _NOT_THIS:
        return Undelivered(Trouble.REFUSED, f"{what}: this message is refused; it goes by another channel")
    return Undelivered(Trouble.ADDRESS, f"{what}: nothing will be taken there; give the person another address")
