"""One suite over every channel: what it means that a message was taken, was not, or that nobody knows."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import answering
import pytest
from answering import Answerer, Says
from mailing import Mail

from cloud.alerts import channels
from cloud.alerts.channels import Channel, Outgoing, Secrets, Taken, Text, Trouble, Undelivered, open_channel
from cloud.alerts.channels.posting import Poster
from cloud.alerts.channels.smtp import SmtpChannel

TOKEN = "1234:very-secret-token"
PATH = "very-secret-path"
TEXT = Text(
    "[P2 · FLG-26-00417] Mesin Rusun Pesakih luring sejak 12 Mei 2026 09.12 WIB",
    "Dampak: tap tersimpan",
    "Tindakan: periksa “mesin”\tdan    jaringan",
    "Tautan: https://hadir.example/flags/FLG-26-00417",
)
LONG = Text("Kepala", lines=tuple(f"baris {n}" for n in range(30)), closing="Penutup")


@dataclass
class Subject:
    """A channel under test: how it is opened, where it sends, how its other end is made to fail, what came through."""

    name: str
    open: Callable[[], Channel]
    address: str
    received: Callable[[], list[str]]
    fail: Callable[[Trouble], None] | None = None
    gone: Callable[[], Channel] | None = None
    """The same channel when nobody listens."""


def _http(name: str, url: Callable[[str], str], address: Callable[[str], str], failures: dict[Trouble, Any]) -> Any:
    def build(stack: ExitStack) -> Subject:
        server = stack.enter_context(Answerer(getattr(answering, name)))
        nowhere = stack.enter_context(answering.nobody_listening())
        secrets = Secrets(TOKEN, "62811")

        def opened(base: str) -> Channel:
            made = open_channel(url(base), secrets)
            made._poster = Poster(name, timeout_s=1.0)  # as it is, with a patience that tests have
            return made

        def fail(trouble: Trouble) -> None:
            server.script.append(failures[trouble])

        return Subject(
            name,
            lambda: opened(server.url),
            address(server.url),
            lambda: [asked.raw.decode() for asked in server.asked],
            fail,
            lambda: opened(nowhere),
        )

    return build


def _mail(stack: ExitStack) -> Subject:
    server = stack.enter_context(Mail())
    nowhere = stack.enter_context(answering.nobody_listening())
    secrets = Secrets("", "hadir@example.org")
    steps = {
        Trouble.TEMPORARY: ("RCPT", "451 4.7.1 greylisted, try again"),
        Trouble.ADDRESS: ("RCPT", "550 5.1.1 no such user"),
        Trouble.REFUSED: ("DATA", "554 5.6.0 message refused"),
        Trouble.CONFIGURATION: ("MAIL", "550 5.7.1 sender not allowed"),
        Trouble.UNKNOWN: ("DATA", "hang up"),
    }

    def fail(trouble: Trouble) -> None:
        step, answer = steps[trouble]
        server.box.answers[step] = answer

    return Subject(
        "smtp",
        lambda: SmtpChannel(f"smtp+plain://127.0.0.1:{server.port}", secrets, timeout_s=5),
        "tek-03@example.org",
        lambda: [letter.get_body(("plain",)).get_content() for letter in server.box.letters],
        fail,
        lambda: open_channel(f"smtp+plain://{nowhere.removeprefix('http://')}", secrets),
    )


def _console(stack: ExitStack) -> Subject:
    out = io.StringIO()
    return Subject("console", lambda: open_channel("console:", out=out), "noc-1", lambda: [out.getvalue()])


def _telegram_error(code: int, description: str, **parameters: Any) -> Says:
    body = {"ok": False, "error_code": code, "description": description}
    return Says(code, body | ({"parameters": parameters} if parameters else {}))


BUILDERS = {
    "console": _console,
    "smtp": _mail,
    "telegram": _http(
        "telegram",
        lambda base: f"telegram:{base}",
        lambda base: "-100123",
        {
            Trouble.TEMPORARY: _telegram_error(429, "Too Many Requests: retry after 7", retry_after=7),
            Trouble.ADDRESS: _telegram_error(403, "Forbidden: bot was blocked by the user"),
            Trouble.REFUSED: _telegram_error(400, "Bad Request: message text is empty"),
            Trouble.CONFIGURATION: _telegram_error(401, "Unauthorized"),
            Trouble.UNKNOWN: answering.HANG,
        },
    ),
    "whatsapp": _http(
        "whatsapp",
        lambda base: f"whatsapp:{base}",
        lambda base: "62811000111",
        {
            Trouble.TEMPORARY: answering.whatsapp_error(130429, "Rate limit hit"),
            Trouble.ADDRESS: answering.whatsapp_error(131026, "Message undeliverable"),
            Trouble.REFUSED: answering.whatsapp_error(131047, "Re-engagement message"),
            Trouble.CONFIGURATION: answering.whatsapp_error(190, "Access token has expired", 401),
            Trouble.UNKNOWN: answering.HANG_UP,
        },
    ),
    "webhook": _http(
        "webhook",
        lambda base: "webhook:",
        lambda base: f"{base}/{PATH}",
        {
            Trouble.TEMPORARY: Says(503, "", {"Retry-After": "7"}),
            Trouble.ADDRESS: Says(410, "gone"),
            Trouble.REFUSED: Says(422, "no"),
            Trouble.UNKNOWN: answering.HANG,
        },
    ),
}

FAILURES = [
    (name, trouble)
    for name in BUILDERS
    for trouble in Trouble
    if name != "console" and trouble is not Trouble.BROKEN and (name, trouble) != ("webhook", Trouble.CONFIGURATION)
]


@pytest.fixture(params=list(BUILDERS))
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with ExitStack() as stack:
        yield BUILDERS[request.param](stack)


def send(subject: Subject, text: Text = TEXT, **more: Any) -> Taken:
    channel = subject.open()
    try:
        return channel.send(Outgoing("17", subject.address, text, **more))
    finally:
        channel.close()


def trouble_of(subject: Subject) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        send(subject)
    return caught.value


def test_what_is_sent_arrives_whole(subject: Subject) -> None:
    send(subject)
    (shown,) = subject.received()
    for part in ("FLG-26-00417", "luring sejak 12 Mei 2026 09.12 WIB", "tap tersimpan", "hadir.example", "periksa"):
        assert part in shown


def test_a_list_arrives_whole(subject: Subject) -> None:
    send(subject, LONG)
    (shown,) = subject.received()
    assert all(re.search(rf"baris {n}\b", shown) for n in range(30))
    assert "Penutup" in shown


def test_what_was_taken_has_a_name(subject: Subject) -> None:
    assert send(subject).reference


def test_only_what_lies_where_it_is_read_is_delivered(subject: Subject) -> None:
    assert send(subject).is_delivered == (subject.name not in ("smtp", "whatsapp"))


def test_the_same_message_twice_has_the_same_key(subject: Subject) -> None:
    names = {send(subject, made_ms=1_778_551_920_000).reference for _ in range(2)}
    if subject.name in ("smtp", "webhook", "console"):
        assert len(names) == 1


@pytest.mark.parametrize(("name", "trouble"), FAILURES, ids=[f"{name}-{trouble}" for name, trouble in FAILURES])
def test_each_failure_is_told_apart(name: str, trouble: Trouble) -> None:
    with ExitStack() as stack:
        subject = BUILDERS[name](stack)
        subject.fail(trouble)
        error = trouble_of(subject)
    assert error.trouble is trouble
    assert error.permanent == (trouble in (Trouble.ADDRESS, Trouble.REFUSED))


@pytest.mark.parametrize("name", ["smtp", "telegram", "webhook", "whatsapp"])
def test_when_nobody_listens_nothing_was_sent(name: str) -> None:
    with ExitStack() as stack:
        subject = BUILDERS[name](stack)
        address = (
            f"{stack.enter_context(answering.nobody_listening())}/{PATH}" if name == "webhook" else subject.address
        )
        error = trouble_of(replace(subject, open=subject.gone, address=address))
    assert error.trouble is Trouble.TEMPORARY


def test_no_secret_and_no_address_is_ever_said(subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        said = [repr(subject.open()), repr(Outgoing("17", subject.address, TEXT)), repr(Secrets(TOKEN, "62811"))]
        send(subject)
        for trouble in [trouble for name, trouble in FAILURES if name == subject.name]:
            subject.fail(trouble)
            error = trouble_of(subject)
            said += [str(error), repr(error), repr(error.__cause__)]
    logged = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # the test's own server
    shown = "\n".join([*said, *logged])
    for secret in (TOKEN, PATH, "62811000111", "-100123", "tek-03@example.org"):
        assert secret not in shown, secret


def test_a_channel_may_be_closed_twice(subject: Subject) -> None:
    channel = subject.open()
    channel.close()
    channel.close()


@pytest.mark.parametrize(
    ("url", "secrets", "words"),
    [
        ("fax:123", Secrets(), "is no channel"),
        ("telegram:", Secrets(), "telegram needs"),
        ("telegram:http://api.example", Secrets(TOKEN), "https://"),
        ("whatsapp:", Secrets(TOKEN), "whatsapp needs"),
        ("webhook:", Secrets(), "webhook needs"),
        ("smtp:", Secrets("", "a@example"), "smtp needs"),
        ("smtp://mail.example", Secrets(TOKEN), "address that mail is sent from"),
        ("smtp+plain://mail.example", Secrets("", "a@example"), "not encrypted"),
    ],
)
def test_a_channel_that_is_configured_wrongly_says_what_is_missing(url: str, secrets: Secrets, words: str) -> None:
    with pytest.raises(channels.BadChannelUrl, match=words) as caught:
        open_channel(url, secrets)
    assert TOKEN not in str(caught.value)
