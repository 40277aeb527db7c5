"""Channel by mail. An address is a mail address; a message has one Message-ID however often it is sent.

The standard library's client, by hand, step by step: which step failed decides what it means. Once DATA has begun,
silence means that it may have arrived.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from cloud.alerts.channels import BadChannelUrl, Outgoing, Secrets, Taken, Traits, Trouble, Undelivered

TIMEOUT_S: Final = 15.0
_PORTS: Final = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_ENHANCED: Final = re.compile(rb"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


class SmtpChannel:
    """A mail server, one connection a message."""

    traits: Final = Traits(max_chars=20_000, is_chat=False)

    def __init__(
        self, url: str, secrets: Secrets, *, timeout_s: float = TIMEOUT_S, context: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        if not parts.hostname or "@" not in secrets.sender:
            raise BadChannelUrl("smtp needs smtp://USER@HOST:587 and the address that mail is sent from")
        if parts.scheme == "smtp+plain" and parts.hostname not in _LOOPBACK:
            raise BadChannelUrl(
                "smtp+plain:// is not encrypted: use it on this computer only, else smtp:// or smtps://"
            )
        self._scheme, self._host, self._port = parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), secrets.token
        self._sender, self._timeout_s = secrets.sender, timeout_s
        self._context = context or ssl.create_default_context()

    def send(self, message: Outgoing) -> Taken:
        """Hand *message* to the mail server. It is accepted, never known to be delivered."""
        mail = composed(message, self._sender)
        client = self._connected()
        try:
            self._envelope(client, message.address)
            self._data(client, mail)
        finally:
            _leave(client)
        return Taken(str(mail["Message-ID"]))

    def close(self) -> None:
        """Nothing is held."""

    def _connected(self) -> smtplib.SMTP:
        try:
            client = self._opened()
        except (OSError, smtplib.SMTPException) as error:
            what = f"the mail server cannot be reached ({type(error).__name__}): nothing was sent, it is tried again"
            raise Undelivered(Trouble.TEMPORARY, what) from None
        if self._user:
            self._login(client)
        return client

    def _opened(self) -> smtplib.SMTP:
        if self._scheme == "smtps":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout_s, context=self._context)
        client = smtplib.SMTP(self._host, self._port, timeout=self._timeout_s)
        try:
            if self._scheme == "smtp":
                client.starttls(context=self._context)
        except BaseException:
            client.close()
            raise
        return client

    def _login(self, client: smtplib.SMTP) -> None:
        try:
            client.login(self._user, self._password)
        except smtplib.SMTPAuthenticationError as error:
            _leave(client)
            is_brief = 400 <= error.smtp_code < 500
            raise Undelivered(
                Trouble.TEMPORARY if is_brief else Trouble.CONFIGURATION,
                f"the mail server does not let us in ({error.smtp_code}): install a valid user and password",
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            _leave(client)
            what = f"the mail server hangs up at the login ({type(error).__name__}): nothing was sent"
            raise Undelivered(Trouble.TEMPORARY, what) from None

    def _envelope(self, client: smtplib.SMTP, address: str) -> None:
        try:
            client.ehlo_or_helo_if_needed()
            code, words = client.mail(self._sender)
            if code != 250:
                raise _refusal(code, words, otherwise=Trouble.CONFIGURATION)
            code, words = client.rcpt(address)
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            what = f"the mail server hangs up before the message ({type(error).__name__}): nothing was sent"
            raise Undelivered(Trouble.TEMPORARY, what) from None
        if code not in (250, 251):
            raise _refusal(code, words, otherwise=Trouble.ADDRESS)

    def _data(self, client: smtplib.SMTP, mail: EmailMessage) -> None:
        try:
            code, words = client.data(mail.as_bytes())
        except smtplib.SMTPDataError as error:  # refused before the message itself
            raise _refusal(error.smtp_code, _bytes(error.smtp_error), otherwise=Trouble.REFUSED) from None
        except (OSError, smtplib.SMTPException) as error:
            what = f"the mail server did not confirm the message ({type(error).__name__}): it may have arrived"
            raise Undelivered(Trouble.UNKNOWN, what) from None
        if code != 250:
            raise _refusal(code, words, otherwise=Trouble.REFUSED)


def composed(message: Outgoing, sender: str) -> EmailMessage:
    """*message* as mail: plain text and HTML, the same Message-ID and date at every repeat."""
    mail = EmailMessage(policy=POLICY)
    mail["From"] = sender
    mail["To"] = message.address
    mail["Subject"] = message.text.headline
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.made_ms / 1000, UTC))
    mail["Message-ID"] = f"<hadir-{message.key}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.letter or message.text.plain(), cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return mail


def _refusal(code: int, words: bytes, *, otherwise: Trouble) -> Undelivered:
    """4xx passes; of 5xx the enhanced code (RFC 3463) tells a bad address from a bad sender, if there is one."""
    trouble = Trouble.TEMPORARY if code < 500 else otherwise
    found = _ENHANCED.search(words)
    if code >= 500 and found:
        subject, detail = int(found[2]), int(found[3])
        if subject == 7 or (subject, detail) in ((1, 7), (1, 8)):
            trouble = Trouble.CONFIGURATION
        elif (subject, detail) == (2, 2):
            trouble = Trouble.TEMPORARY
    return Undelivered(trouble, f"the mail server refuses ({code}): {_MEANING[trouble]}")


_MEANING: Final = {
    Trouble.TEMPORARY: "it is tried again",
    Trouble.ADDRESS: "nothing will be taken for this address; give the person another one",
    Trouble.REFUSED: "it does not take this message; it goes by another channel",
    Trouble.CONFIGURATION: "it does not take mail from us; look at the sender, SPF, DKIM and the server's rules",
}


def _leave(client: smtplib.SMTP) -> None:
    """Say goodbye; what was decided stands, whatever comes back."""
    try:
        client.quit()
    except (OSError, smtplib.SMTPException):
        client.close()


def _bytes(words: bytes | str) -> bytes:
    return words if isinstance(words, bytes) else words.encode()
