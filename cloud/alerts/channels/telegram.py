"""Channel to Telegram's Bot API. An address is a chat's id; a message's name is its id in that chat.

There is no idempotency key: what is known to be there is rewritten rather than repeated.
"""

from __future__ import annotations

from typing import Final

from cloud.alerts.channels import BadChannelUrl, Outgoing, Secrets, Taken, Traits, Trouble, Undelivered
from cloud.alerts.channels.posting import Answer, Poster, encoded

OFFICIAL: Final = "https://api.telegram.org"
_UNCHANGED: Final = "message is not modified"
_GONE: Final = ("chat not found", "group chat was deleted", "user is deactivated", "peer_id_invalid")


class TelegramChannel:
    """A bot; its token comes from a file and is part of every URL."""

    traits: Final = Traits(max_chars=3500, can_amend=True)

    def __init__(self, base: str | None, secrets: Secrets, *, poster: Poster | None = None) -> None:
        if not secrets.token:
            raise BadChannelUrl("telegram needs the bot's token, in a file of its own")
        self._url = f"{base or OFFICIAL}/bot{secrets.token}"
        self._poster = poster or Poster("Telegram")

    def send(self, message: Outgoing) -> Taken:
        """Send *message*, or rewrite the one it amends."""
        body: dict[str, object] = {
            "chat_id": message.address,
            "text": message.text.plain(),
            "link_preview_options": {"is_disabled": True},
        }
        method = "sendMessage"
        if message.amends is not None:
            method, body["message_id"] = "editMessageText", int(message.amends)
        return _understood(self._poster.post(f"{self._url}/{method}", encoded(body), {}), message)

    def close(self) -> None:
        """Give the connections back."""
        self._poster.close()


def _understood(answer: Answer, message: Outgoing) -> Taken:
    description = str(answer.body.get("description", "")).lower()
    if answer.is_good and answer.body.get("ok") is True:
        result = answer.body.get("result")
        reference = result.get("message_id") if isinstance(result, dict) else None
        return Taken(str(reference) if reference is not None else message.amends, is_delivered=True)
    if _UNCHANGED in description and message.amends is not None:
        return Taken(message.amends, is_delivered=True)
    raise _refusal(answer, description)


def _refusal(answer: Answer, description: str) -> Undelivered:
    parameters = answer.body.get("parameters")
    given = parameters if isinstance(parameters, dict) else {}
    if "migrate_to_chat_id" in given:
        moved = str(given["migrate_to_chat_id"])
        return Undelivered(Trouble.TEMPORARY, "the group has become a supergroup: its new id is stored", moved_to=moved)
    if answer.status == 429:
        wait = float(given.get("retry_after", answer.retry_after_s))
        return Undelivered(Trouble.TEMPORARY, f"Telegram asks for {wait:g} s of patience", retry_after_s=wait)
    if answer.status >= 500 or answer.is_good:
        return Undelivered(Trouble.TEMPORARY, f"Telegram fails (status {answer.status}): it is tried again")
    if answer.status in (401, 404):
        return Undelivered(Trouble.CONFIGURATION, "Telegram does not know our bot: install a valid token")
    if answer.status == 403 or any(word in description for word in _GONE):
        return Undelivered(Trouble.ADDRESS, "the chat is gone or has blocked the bot: give the person another address")
    return Undelivered(Trouble.REFUSED, f"Telegram refuses this message (status {answer.status})")
