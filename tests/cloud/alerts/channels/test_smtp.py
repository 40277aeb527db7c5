"""Mail, to a real server (aiosmtpd): what is written, and what each step's answer means."""

from pathlib import Path

import pytest
from mailing import Mail, certificate

from cloud.alerts.channels import Outgoing, Secrets, Taken, Text, Trouble, Undelivered
from cloud.alerts.channels.smtp import SmtpChannel

SENDER = Secrets("", "hadir@dprkp.example")
TEXT = Text("[P3 · FLG-26-00417] Perlu klarifikasi: unit PSK/B/03/12", "Alasan: 3 periode tanpa tap — 99,5 %")
MESSAGE = Outgoing(
    "17", "uprs@example.org", TEXT, made_ms=1_778_551_920_000, letter="Yth. Bapak/Ibu,\n.\ntitik\n", html="<p>Yth.</p>"
)


def channel(mail: Mail, timeout_s: float = 5) -> SmtpChannel:
    return SmtpChannel(f"smtp+plain://127.0.0.1:{mail.port}", SENDER, timeout_s=timeout_s)


def send(mail: Mail, message: Outgoing = MESSAGE) -> Taken:
    return channel(mail).send(message)


def refusal(mail: Mail, **more) -> Undelivered:
    with pytest.raises(Undelivered) as caught:
        channel(mail, **more).send(MESSAGE)
    return caught.value


def test_a_letter_is_plain_and_html_with_all_its_headers() -> None:
    with Mail() as mail:
        taken = send(mail)
        (letter,) = mail.box.letters
        assert mail.box.to == ["uprs@example.org"]
    assert (taken.reference, taken.is_delivered) == ("<hadir-17@dprkp.example>", False)
    assert letter["Message-ID"] == "<hadir-17@dprkp.example>"
    assert letter["Subject"] == TEXT.headline
    assert letter["Date"] == "Tue, 12 May 2026 02:12:00 +0000"
    assert letter["Auto-Submitted"] == "auto-generated"
    parts = [letter.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html")]
    assert parts == [MESSAGE.letter, f"{MESSAGE.html}\n"]


def test_a_repeat_has_the_same_message_id() -> None:
    with Mail() as mail:
        for _ in range(2):
            send(mail)
        assert len({letter["Message-ID"] for letter in mail.box.letters}) == 1


@pytest.mark.parametrize(
    ("step", "answer", "trouble"),
    [
        ("MAIL", "451 try later", Trouble.TEMPORARY),
        ("MAIL", "550 5.7.1 relaying denied", Trouble.CONFIGURATION),
        ("MAIL", "553 sender not allowed", Trouble.CONFIGURATION),
        ("RCPT", "450 4.2.0 greylisted", Trouble.TEMPORARY),
        ("RCPT", "550 no such user", Trouble.ADDRESS),
        ("RCPT", "550 5.1.1 no such user", Trouble.ADDRESS),
        ("RCPT", "552 5.2.2 mailbox full", Trouble.TEMPORARY),
        ("RCPT", "550 5.7.26 SPF and DKIM did not pass", Trouble.CONFIGURATION),
        ("RCPT", "hang up", Trouble.TEMPORARY),
        ("DATA", "451 4.3.0 try later", Trouble.TEMPORARY),
        ("DATA", "554 5.6.0 content refused", Trouble.REFUSED),
        ("DATA", "550 5.7.1 blocked by policy", Trouble.CONFIGURATION),
        ("DATA", "hang up", Trouble.UNKNOWN),
    ],
)
def test_what_each_answer_means(step: str, answer: str, trouble: Trouble) -> None:
    with Mail() as mail:
        mail.box.answers[step] = answer
        assert refusal(mail).trouble is trouble


def test_silence_after_the_message_means_that_it_may_have_arrived() -> None:
    with Mail() as mail:
        mail.box.answers["DATA"] = "hang"
        assert refusal(mail, timeout_s=0.5).trouble is Trouble.UNKNOWN
        assert len(mail.box.letters) == 1


def test_a_password_is_asked_for(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    with Mail(password="right", tls=server) as mail:
        url = f"smtp://hadir@127.0.0.1:{mail.port}"
        SmtpChannel(url, Secrets("right", SENDER.sender), context=client).send(MESSAGE)
        with pytest.raises(Undelivered) as caught:
            SmtpChannel(url, Secrets("wrong", SENDER.sender), context=client).send(MESSAGE)
    assert caught.value.trouble is Trouble.CONFIGURATION
    assert len(mail.box.letters) == 1


@pytest.mark.parametrize(("scheme", "is_tls_only"), [("smtp", False), ("smtps", True)])
def test_mail_leaves_encrypted(scheme: str, is_tls_only: bool, tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    with Mail(tls=server, is_tls_only=is_tls_only) as mail:
        SmtpChannel(f"{scheme}://127.0.0.1:{mail.port}", SENDER, context=client).send(MESSAGE)
        assert len(mail.box.letters) == 1


def test_a_server_that_cannot_encrypt_gets_nothing() -> None:
    with Mail() as mail:
        own = SmtpChannel(f"smtp://127.0.0.1:{mail.port}", SENDER, timeout_s=5)
        with pytest.raises(Undelivered) as caught:
            own.send(MESSAGE)
        assert caught.value.trouble is Trouble.TEMPORARY
        assert mail.box.letters == []


def test_a_server_that_is_not_whom_it_says_gets_nothing(tmp_path: Path) -> None:
    server, _ = certificate(tmp_path)
    with Mail(tls=server) as mail:
        own = SmtpChannel(f"smtp://127.0.0.1:{mail.port}", SENDER, timeout_s=5)
        with pytest.raises(Undelivered):
            own.send(MESSAGE)
        assert mail.box.letters == []
