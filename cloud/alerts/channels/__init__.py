"""Port: one message to one address. `send` returns when the channel has taken it, or raises `Undelivered`.

Calls block, for at most the channel's timeout; the sender makes them in threads. Nothing here logs or quotes an
address, a URL or a token.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TextIO
from urllib.parse import urlsplit

__all__ = [
    "BadChannelUrl",
    "Channel",
    "Outgoing",
    "Secrets",
    "Taken",
    "Text",
    "Traits",
    "Trouble",
    "Undelivered",
    "open_channel",
]

NAMES: Final = ("smtp", "telegram", "whatsapp", "webhook", "console")


class BadChannelUrl(ValueError):
    """A channel is configured wrongly; the message names the channel and what is missing, never a secret."""


class Trouble(StrEnum):
    """Why a message was not taken: what the sender does about it follows from this alone."""

    TEMPORARY = "temporary"
    """Later it may work: the ladder of delays."""
    ADDRESS = "address"
    """This address will never work again: disable it."""
    REFUSED = "refused"
    """This message will never be taken here: another channel may."""
    CONFIGURATION = "configuration"
    """Nothing will be taken here until a person puts something right: hold the channel."""
    UNKNOWN = "unknown"
    """It may have arrived: once more, marked."""
    BROKEN = "broken"
    """A mistake of ours: an hour's wait, the others go on."""


class Undelivered(Exception):
    """The channel did not take a message; says why, what it means and, where there is something, what to do."""

    def __init__(
        self, trouble: Trouble, explanation: str, *, retry_after_s: float = 0, moved_to: str | None = None
    ) -> None:
        super().__init__(explanation)
        self.trouble = trouble
        self.retry_after_s = retry_after_s
        """The channel's own wish; 0 = none."""
        self.moved_to = moved_to
        """The address's new name: store it, and send again at once."""

    @property
    def permanent(self) -> bool:
        """Whether sending the same again is pointless."""
        return self.trouble in (Trouble.ADDRESS, Trouble.REFUSED)


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be read. The headline makes sense by itself."""

    headline: str
    impact: str = ""
    action: str = ""
    link: str = ""
    lines: tuple[str, ...] = ()
    """Of a bundle or a digest: what it lists."""
    closing: str = ""

    def paragraphs(self) -> tuple[str, ...]:
        """All of it after the headline, as it is read."""
        listed = "\n".join(self.lines)
        return tuple(part for part in (self.impact, listed, self.action, self.closing, self.link) if part)

    def plain(self) -> str:
        """All of it."""
        return ("\n\n" if self.lines else "\n").join((self.headline, *self.paragraphs()))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent."""

    key: str
    """Of the message's row: the same on every repeat."""
    address: str = field(repr=False)
    text: Text = field(repr=False)
    amends: str | None = None
    """The channel's name of the message that this one rewrites."""
    made_ms: int = 0
    letter: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    """The text as a letter, plain and for who reads HTML; empty for a chat."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The channel has the message."""

    reference: str | None = None
    """The channel's own name of it."""
    is_delivered: bool = False
    """It lies where the person reads; else only that it was accepted is known."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a channel can do."""

    max_chars: int = 3500
    can_amend: bool = False
    is_chat: bool = True
    """Nothing about a household may be said here."""


class Channel(Protocol):
    """A way to reach people."""

    @property
    def traits(self) -> Traits:
        """What it can do."""
        ...

    def send(self, message: Outgoing) -> Taken:
        """Deliver *message*, or raise `Undelivered`. Safe to call from several threads."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a channel may need beside its URL; each channel says which."""

    token: str = field(default="", repr=False)
    """Password, bot token, access token, or the key that signs."""
    sender: str = ""
    """From whom: a mail address, or WhatsApp's phone number id."""


def open_channel(url: str, secrets: Secrets | None = None, *, out: TextIO | None = None) -> Channel:
    """The channel at *url*. Raises `BadChannelUrl`.

    `smtp://USER@HOST:587` (STARTTLS), `smtps://…` (TLS), `smtp+plain://…` (loopback only) · `telegram:` or
    `telegram:https://HOST` · `whatsapp:` or `whatsapp:https://HOST` · `webhook:` · `console:` or `console:/FILE`
    """
    kind, _, rest = url.partition(":")
    opener = _OPENERS.get(kind)
    if opener is None:
        raise BadChannelUrl(f"{kind[:20]!r} is no channel: give one of {', '.join(sorted(_OPENERS))}")
    return opener(url if kind.startswith("smtp") else rest, secrets or Secrets(), out)


# An adapter brings its library along; only the ones that are used are loaded.


def _smtp(url: str, secrets: Secrets, out: TextIO | None) -> Channel:
    from cloud.alerts.channels.smtp import SmtpChannel

    return SmtpChannel(url, secrets)


def _telegram(url: str, secrets: Secrets, out: TextIO | None) -> Channel:
    from cloud.alerts.channels.telegram import TelegramChannel

    return TelegramChannel(_base(url), secrets)


def _whatsapp(url: str, secrets: Secrets, out: TextIO | None) -> Channel:
    from cloud.alerts.channels.whatsapp import WhatsAppChannel

    return WhatsAppChannel(_base(url), secrets)


def _webhook(url: str, secrets: Secrets, out: TextIO | None) -> Channel:
    from cloud.alerts.channels.webhook import WebhookChannel

    return WebhookChannel(secrets)


def _console(url: str, secrets: Secrets, out: TextIO | None) -> Channel:
    from cloud.alerts.channels.console import ConsoleChannel

    return ConsoleChannel(out, file=Path(url) if url else None)


_OPENERS: Final[dict[str, Callable[[str, Secrets, TextIO | None], Channel]]] = {
    "smtp": _smtp,
    "smtps": _smtp,
    "smtp+plain": _smtp,
    "telegram": _telegram,
    "whatsapp": _whatsapp,
    "webhook": _webhook,
    "console": _console,
}


def _base(url: str) -> str | None:
    """The server to speak to instead of the official one. Plain HTTP is for loopback only."""
    if not url:
        return None
    parts = urlsplit(url)
    is_local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_local)):
        raise BadChannelUrl("the server of a channel must be https://HOST (http:// only on this computer)")
    return url.rstrip("/")
