"""Stories of messages that do not go through: nothing is lost, and what may come twice says so."""

from contextlib import suppress
from datetime import date

import answering
from answering import Answerer, Says
from postal import Crash
from storytelling import Mail, person

from cloud.alerts.channels import Secrets, Undelivered, open_channel
from cloud.alerts.channels.console import ConsoleChannel
from cloud.days import HOUR, MINUTE
from cloud.records.people import Role

TUESDAY = date(2026, 5, 12)


class Watched:
    """A real channel beside which somebody writes down what it took, and what it refused and why."""

    def __init__(self, channel, out):
        self.channel, self.out, self.traits = channel, out, channel.traits
        self.shown = ConsoleChannel(out)

    def send(self, message):
        try:
            taken = self.channel.send(message)
        except Undelivered as error:
            self.out.write(f"── kepada {message.address} ─\n(tidak diterima: {error})\n{'─' * 72}\n")
            raise
        self.shown.send(message)
        return taken

    def close(self):
        self.channel.close()


class Dying(Mail):
    """The server takes the first mail, and its sender dies before that is written down."""

    def __init__(self, out):
        super().__init__(out)
        self.keys = []

    def send(self, message):
        taken = super().send(message)
        self.keys.append(message.key)
        if len(self.keys) == 1:
            raise Crash
        return taken


async def test_s8_telegram_asks_for_patience_and_refuses_what_is_too_long_and_every_flag_arrives(world, golden):
    """Thirty-six readers fail at once: more than a message holds, and more messages than anybody wants."""
    world.begins(TUESDAY, "08:00")
    world.estate("DMG", "Daan Mogot", *(f"DMG-{number:02}" for number in range(1, 37)), go_live=date(2025, 1, 1))
    world.employ(person("noc", Role.NOC, "telegram", "smtp"))
    await world.until(TUESDAY, "10:00", every=2 * HOUR)
    world.story()
    too_long = Says(400, {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"})
    patience = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 90}}
    with Answerer(answering.telegram) as server:
        world.channels["telegram"] = Watched(open_channel(f"telegram:{server.url}", Secrets("12:abc")), world.out)
        server.script = [Says(429, patience), too_long]
        world.note("ke-36 pembaca kartu rusak pada saat yang sama; Telegram meminta waktu, lalu menolak satu pesan")
        for machine in world.machines.values():
            machine.reader = "fault"
        await world.until(TUESDAY, "10:01")
        await world.until(TUESDAY, "10:17", every=16 * MINUTE)
        before = len(server.asked)
        await world.until(TUESDAY, "10:18")
        assert len(server.asked) == before, "it asked for 90 s"
        await world.until(TUESDAY, "10:19")
        longest = max(len(asked.body["text"]) for asked in server.asked)
        world.channels["telegram"].close()
    assert longest <= 4096
    story = world.said.getvalue()
    assert all(f"FLG-26-{number:05}" in story for number in range(1, 37))
    golden(world, "S8 · Telegram meminta waktu (429) dan menolak pesan (400)")


async def test_s9_a_mail_that_was_taken_by_a_server_whose_sender_died_comes_once_more_and_says_so(world, golden):
    world.begins(TUESDAY, "08:00")
    world.estate("PSK", "Pesakih", "PSK-01", go_live=date(2025, 1, 1))
    world.employ(person("noc", Role.NOC, "smtp"))
    mail = world.channels["smtp"] = Dying(world.out)
    await world.until(TUESDAY, "10:00", every=2 * HOUR)
    world.story()
    world.note("jaringan PSK-01 terputus; pengirim mati tepat setelah server surel menerima pesannya")
    world.machines["PSK-01"].has_network = False
    with suppress(Crash):
        await world.until(TUESDAY, "10:20", every=8 * MINUTE)
    assert len(mail.keys) == 1
    await world.until(TUESDAY, "10:20")
    world.note("tersambung kembali")
    world.machines["PSK-01"].has_network = True
    await world.until(TUESDAY, "10:44", every=8 * MINUTE)
    assert len(mail.keys) == 3 and mail.keys[0] == mail.keys[1], "the same Message-ID: a reader may see it once"
    golden(world, "S9 · Surel diterima server, pengirimnya mati")
