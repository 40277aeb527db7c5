"""Order, budgets and bundles: nobody is flooded, and nothing is dropped. Both engines."""

from postal import HOUR, MINUTE, Rig, Scripted, draft, person

from cloud.alerts.channels import Traits, Trouble, Undelivered
from cloud.records.people import Role

DAY = 24 * HOUR
REPEAT = "(kirim ulang)"


def undelivered(trouble: Trouble, **more) -> Undelivered:
    return Undelivered(trouble, f"the channel says {trouble}", **more)


def test_order_is_kept_per_flag_while_others_go_on(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.say(draft("noc-1", said="closed"), draft("noc-1", "FLG-26-00002"))
    rig.run()
    assert [("00002" in line, "pulih" in line) for line in rig.chat.headlines[1:]] == [(True, False)]
    rig.later(15_000)
    rig.run()
    assert [("00001" in line, "pulih" in line) for line in rig.chat.headlines[2:]] == [(True, False), (True, True)]


def test_a_budget_bundles_and_drops_nothing(rig: Rig) -> None:
    flags = [f"FLG-26-{n:05}" for n in range(1, 33)]
    rig.say(*(draft("noc-1", flag) for flag in flags))
    assert rig.run() == 1
    assert all(flag in rig.chat.sent[0].text.plain() for flag in flags[:20])
    for _ in range(8):
        rig.later(15 * MINUTE)
        rig.run()
    shown = "\n".join(message.text.plain() for message in rig.chat.sent)
    assert all(flag in shown for flag in flags)
    assert {state for _, state in rig.states()} == {"told"}


def test_never_more_than_the_budget_in_any_quarter_or_hour(rig: Rig) -> None:
    sent_at: list[int] = []
    for number in range(1, 46):
        rig.say(draft("noc-1", f"FLG-26-{number:05}", due_ms=rig.now_ms))
        before = len(rig.chat.sent)
        rig.run()
        sent_at += [rig.now_ms] * (len(rig.chat.sent) - before)
        rig.later(2 * MINUTE)
    for start in sent_at:
        assert sum(start <= at < start + 15 * MINUTE for at in sent_at) <= 5
        assert sum(start <= at < start + HOUR for at in sent_at) <= 11
    rig.later(HOUR)
    rig.run()
    assert {state for _, state in rig.states()} == {"told"}


def test_the_most_urgent_goes_first(rig: Rig) -> None:
    rig.say(*(draft("noc-1", f"FLG-26-{n:05}") for n in range(1, 4)), draft("noc-1", "FLG-26-00009", severity="P1"))
    rig.run()
    assert "FLG-26-00009" in rig.chat.headlines[0]


def test_a_repeat_waits_for_the_budget_too(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.UNKNOWN)]
    rig.say(*(draft("noc-1", f"FLG-26-{n:05}") for n in range(1, 6)))
    rig.run()
    assert len(rig.chat.sent) == 5
    rig.later(MINUTE)
    assert rig.run() == 0
    rig.later(14 * MINUTE)
    assert rig.run() == 1


def test_a_bundle_goes_only_where_all_of_it_may_go(rig: Rig) -> None:
    rig.channels["mail"] = Scripted(traits=Traits(is_chat=False))
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"))
    rig.say(*(draft("noc-1", f"FLG-26-{n:05}") for n in range(1, 9)), draft("noc-1", "FLG-26-00009", by="mail"))
    rig.run()
    assert [("FLG-26-00009" in message.text.plain()) for message in rig.channels["mail"].sent] == [True]
    assert all("FLG-26-00009" not in message.text.plain() for message in rig.chat.sent)
