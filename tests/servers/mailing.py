"""A real mail server (aiosmtpd) in this process, which answers each step as it is told."""

from __future__ import annotations

import asyncio
import email
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

OK = "250 OK"


class Mailbox:
    """What was delivered, and what each step answers: a text, or `hang up` after the message was taken."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []
        self.to: list[str] = []
        self.answers: dict[str, str] = {}

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        answer = self.answers.get("MAIL", OK)
        if answer == OK:
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        answer = self.answers.get("RCPT", OK)
        if answer == "hang up":
            server.transport.close()
        elif answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = self.answers.get("DATA", OK)
        if answer in (OK, "hang up", "hang"):
            self.letters.append(email.message_from_bytes(envelope.original_content, policy=default))
            self.to += envelope.rcpt_tos
        if answer == "hang up":
            server.transport.close()
        if answer == "hang":
            await asyncio.sleep(5)
        return answer if answer not in ("hang up", "hang") else OK


class _Controller(Controller):
    """Listens on whatever port is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mail:
    """A server on loopback while it is entered; `tls` alone offers STARTTLS, `is_tls_only` speaks nothing else."""

    def __init__(self, *, password: str = "", tls: ssl.SSLContext | None = None, is_tls_only: bool = False) -> None:
        self.box = Mailbox()
        options: dict[str, Any] = {"ready_timeout": 30}
        if password:
            options |= {"auth_required": True, "authenticator": _asks(password)}
        if tls is not None:
            options["ssl_context" if is_tls_only else "tls_context"] = tls
        self._controller = _Controller(self.box, hostname="127.0.0.1", port=0, **options)

    @property
    def port(self) -> int:
        return self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


def _asks(password: str) -> Any:
    def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        knows = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=knows, handled=False)

    return authenticate


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for `localhost` made just now, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(made.public_bytes(Encoding.PEM) + secret)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=made.public_bytes(Encoding.PEM).decode())
