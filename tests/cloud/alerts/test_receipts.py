"""After a message went out: rewritten where it lies, and what a channel says became of it. Both engines."""

from dataclasses import replace

from postal import HOUR, NOON, Rig, Scripted, draft, person
from sqlalchemy import select

from cloud.alerts.channels import Taken, Traits, Trouble, Undelivered
from cloud.alerts.channels.receipts import Receipt
from cloud.records import people
from cloud.records.notice_schema import messages as table
from cloud.records.people import Role

DAY = 24 * HOUR
REPEAT = "(kirim ulang)"


def undelivered(trouble: Trouble, **more) -> Undelivered:
    return Undelivered(trouble, f"the channel says {trouble}", **more)


def test_a_note_rewrites_the_message_that_is_there(rig: Rig) -> None:
    rig.channels["chat"] = Scripted(traits=Traits(can_amend=True))
    rig.say(draft("noc-1"))
    rig.run()
    note = draft("noc-1", said="handled")
    rig.say(replace(note, facts={**note.facts, "by": "tek-3", "until_ms": NOON + HOUR}))
    rig.run()
    assert [message.amends for message in rig.chat.sent] == [None, "ref-1"]


def test_a_note_disturbs_nobody_where_nothing_can_be_rewritten(rig: Rig) -> None:
    rig.say(draft("noc-1"))
    rig.run()
    rig.say(draft("noc-1", said="struck"))
    assert rig.run() == 0
    assert dict(rig.states())["FLG-26-00001:struck:noc-1"] == "moot"


def test_a_message_that_cannot_be_rewritten_any_more_is_left_alone(rig: Rig) -> None:
    rig.channels["chat"] = Scripted(traits=Traits(can_amend=True))
    rig.chat.script = [Taken("ref-1", is_delivered=True), undelivered(Trouble.REFUSED)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.say(draft("noc-1", said="struck"))
    assert rig.run() == 1
    assert dict(rig.states())["FLG-26-00001:struck:noc-1"] == "moot"


def test_a_bundle_is_never_rewritten(rig: Rig) -> None:
    rig.channels["chat"] = Scripted(traits=Traits(can_amend=True))
    rig.say(*(draft("noc-1", f"FLG-26-{n:05}") for n in range(1, 9)))
    rig.run()
    rig.say(draft("noc-1", said="struck"))
    assert rig.run() == 0


def test_rewriting_costs_no_budget(rig: Rig) -> None:
    rig.channels["chat"] = Scripted(traits=Traits(can_amend=True))
    rig.say(*(draft("noc-1", f"FLG-26-{n:05}") for n in range(1, 6)))
    rig.run()
    rig.say(*(draft("noc-1", f"FLG-26-{n:05}", said="struck") for n in range(1, 6)))
    assert rig.run() == 5


# ---- receipts --------------------------------------------------------------------------------------------------------


def fate(rig: Rig) -> list[str]:
    query = select(table.c.state).order_by(table.c.id)
    return list(rig.records.read(lambda connection: connection.scalars(query).all()))


def test_accepted_is_not_delivered_until_a_receipt_says_so(rig: Rig) -> None:
    rig.chat.script = [Taken("wamid.1")]
    rig.say(draft("noc-1"))
    rig.run()
    assert fate(rig) == ["accepted"]
    rig.post().receive(Receipt("wamid.1", "sent"), rig.now_ms)
    assert fate(rig) == ["accepted"]
    rig.post().receive(Receipt("wamid.1", "delivered"), rig.now_ms)
    assert fate(rig) == ["delivered"]


def test_what_was_accepted_and_did_not_arrive_goes_another_way(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"))
    rig.chat.script = [Taken("wamid.1")]
    rig.say(draft("noc-1"))
    rig.run()
    rig.post().receive(Receipt("wamid.1", "failed", Trouble.ADDRESS), rig.now_ms)
    rig.run()
    assert fate(rig)[0] == "released"
    assert any("FLG-26-00001" in line for line in rig.channels["mail"].headlines)
    assert rig.records.read(lambda connection: people.named(connection, "noc-1")).addresses[0].disabled_because


def test_a_failure_reported_twice_is_one(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"))
    rig.chat.script = [Taken("wamid.1")]
    rig.say(draft("noc-1"))
    rig.run()
    for _ in range(2):
        rig.post().receive(Receipt("wamid.1", "failed", Trouble.REFUSED), rig.now_ms)
        rig.run()
    assert len(rig.channels["mail"].sent) == 1


def test_a_receipt_of_something_unknown_is_ignored(rig: Rig) -> None:
    rig.post().receive(Receipt("wamid.77", "delivered"), rig.now_ms)
