"""What becomes of a message: delivered, tried again, sent another way, repeated once and marked. Both engines."""

import logging
import threading
from dataclasses import replace

import pytest
from postal import HOUR, MINUTE, NOON, Crash, Rig, Scripted, draft, person

from cloud.alerts.channels import Taken, Trouble, Undelivered
from cloud.alerts.policy import Notify
from cloud.alerts.sending import send_one
from cloud.records import messages, people
from cloud.records.notices import State
from cloud.records.people import Role

DAY = 24 * HOUR
REPEAT = "(kirim ulang)"


def undelivered(trouble: Trouble, **more) -> Undelivered:
    return Undelivered(trouble, f"the channel says {trouble}", **more)


def test_what_is_due_is_sent_once(rig: Rig) -> None:
    rig.say(draft("noc-1"))
    rig.say(draft("noc-1"))
    assert (rig.run(), rig.run()) == (1, 0)
    assert rig.chat.headlines == ["[P2 · FLG-26-00001] Mesin Rusun Pesakih luring sejak 12 Mei 2026 11.40 WIB"]
    assert [state for _, state in rig.states()] == ["told"]
    assert not rig.failing().is_failing


def test_what_is_not_due_waits(rig: Rig) -> None:
    rig.say(draft("noc-1", due_ms=NOON + 1))
    assert rig.run() == 0
    rig.later(1)
    assert rig.run() == 1


def test_a_temporary_failure_is_tried_again_on_a_ladder(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY) for _ in range(6)]
    rig.say(draft("noc-1"))
    assert rig.run() == 1
    for wait_s in (15, 60, 300, 1800, 7200, 7200):
        rig.later(wait_s * 1000 - 1)
        assert rig.run() == 0
        rig.later(1)
        assert rig.run() == 1
    assert [state for _, state in rig.states()] == ["told"]
    assert not any(REPEAT in line for line in rig.chat.headlines)


def test_the_key_of_a_message_stays_the_same(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY), undelivered(Trouble.UNKNOWN)]
    rig.say(draft("noc-1"))
    for _ in range(3):
        rig.run()
        rig.later(MINUTE)
    assert len(rig.chat.sent) == 3
    assert len({(message.key, message.made_ms) for message in rig.chat.sent}) == 1


def test_the_channels_own_wish_is_obeyed(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY, retry_after_s=90)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.later(89_999)
    assert rig.run() == 0
    rig.later(1)
    assert rig.run() == 1


def test_after_a_day_of_failing_it_goes_by_the_next_channel(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"))
    rig.chat.script = [undelivered(Trouble.TEMPORARY) for _ in range(100)]
    rig.say(draft("noc-1"))
    while not rig.channels["mail"].sent and rig.now_ms < NOON + 2 * DAY:
        rig.run()
        rig.later(30 * MINUTE)
    assert DAY - 3 * HOUR <= rig.now_ms - NOON <= DAY + HOUR
    assert len(rig.channels["mail"].sent) == 1
    assert REPEAT not in rig.channels["mail"].headlines[0]


def test_what_reaches_nobody_at_last_is_an_alarm(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY) for _ in range(100)]
    rig.say(draft("noc-1"))
    while rig.now_ms < NOON + DAY + 3 * HOUR:
        rig.run()
        rig.later(30 * MINUTE)
    assert rig.states() == [("FLG-26-00001:opened:noc-1", "unreached")]
    assert (rig.failing().unreached, rig.failing().is_failing) == (1, True)
    rig.later(DAY + HOUR)
    assert not rig.failing().is_failing


def test_what_fails_for_long_is_an_alarm_before_that(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY) for _ in range(100)]
    rig.say(draft("noc-1"))
    for _ in range(40):
        rig.run()
        rig.later(MINUTE)
    assert (rig.failing().overdue, rig.failing().since_ms) == (1, NOON)


def test_notices_that_no_sender_takes_up_are_an_alarm(rig: Rig) -> None:
    rig.say(draft("noc-1"))
    rig.later(HOUR)
    assert not rig.failing().is_failing
    rig.later(1)
    assert (rig.failing().unsent, rig.failing().since_ms) == (1, NOON)


def test_a_dead_address_is_disabled_and_told_by_another_channel_and_to_the_noc(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1"), person("tek-1", Role.TECHNICIAN, "chat:t", "mail:t@example"))
    rig.chat.script = [undelivered(Trouble.ADDRESS)]
    rig.say(draft("tek-1"))
    rig.run()
    assert [line for line in rig.channels["mail"].headlines if "FLG" in line] != []
    assert [line for line in rig.channels["mail"].headlines if "tidak dapat digunakan lagi" in line] != []
    assert rig.chat.headlines[1:] == ["[Hadir] Alamat  untuk tek-1 tidak dapat digunakan lagi".replace("  ", " ")]
    address = rig.records.read(lambda connection: people.named(connection, "tek-1")).addresses[0]
    assert address.disabled_because == "the channel says address"
    rig.say(draft("tek-1", "FLG-26-00002"))
    rig.run()
    assert sum(message.address == "t" for message in rig.chat.sent) == 1


def test_a_disabled_address_stays_so_until_somebody_enables_it(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.ADDRESS)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.know(person("noc-1"))
    (address,) = rig.records.read(lambda connection: people.named(connection, "noc-1")).addresses
    assert not address.is_usable
    rig.records.write(lambda connection: people.enable(connection, address.id))
    rig.say(draft("noc-1", "FLG-26-00002"))
    rig.run()
    assert [state for key, state in rig.states() if "00002" in key] == ["told"]


def test_a_refused_message_goes_by_another_channel_and_the_address_lives(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"))
    rig.chat.script = [undelivered(Trouble.REFUSED)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.say(draft("noc-1", "FLG-26-00002"))
    rig.run()
    assert (len(rig.channels["mail"].sent), len(rig.chat.sent)) == (1, 2)


def test_a_channel_that_needs_a_person_is_held_and_others_are_used(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"), person("noc-2"))
    rig.chat.script = [undelivered(Trouble.CONFIGURATION)]
    rig.say(draft("noc-1"), draft("noc-2", "FLG-26-00002"))
    rig.run()
    assert (len(rig.chat.sent), len(rig.channels["mail"].sent)) == (1, 1)
    assert (rig.failing().held, rig.failing().since_ms) == (("chat",), NOON)
    rig.later(15 * MINUTE)
    rig.run()
    assert len(rig.chat.sent) == 2
    assert dict(rig.states())["FLG-26-00002:opened:noc-2"] == "told"
    assert rig.failing().held == ()


def test_a_moved_group_is_stored_and_sent_to_at_once(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.TEMPORARY, moved_to="-100200")]
    rig.say(draft("noc-1"))
    assert rig.run() == 2
    assert [message.address for message in rig.chat.sent] == ["noc-1", "-100200"]


# ---- unknown outcomes ------------------------------------------------------------------------------------------------


def test_an_unknown_outcome_is_sent_once_more_and_marked(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.UNKNOWN)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.later(HOUR)
    rig.run()
    assert [REPEAT in line for line in rig.chat.headlines] == [False, True]


def test_a_second_unknown_outcome_is_the_last(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.UNKNOWN), undelivered(Trouble.UNKNOWN)]
    rig.say(draft("noc-1"))
    for _ in range(10):
        rig.run()
        rig.later(HOUR)
    assert len(rig.chat.sent) == 2
    assert [state for _, state in rig.states()] == ["unsure"]
    assert (rig.failing().unsure, rig.failing().is_failing) == (1, True)


def test_what_somebody_else_was_told_is_no_alarm(rig: Rig) -> None:
    rig.know(person("noc-1"), person("noc-2"))
    rig.chat.script = [undelivered(Trouble.UNKNOWN), Taken("r"), undelivered(Trouble.UNKNOWN)]
    rig.say(draft("noc-1"), draft("noc-2"))
    rig.run()
    rig.later(MINUTE)
    rig.run()
    assert sorted(state for _, state in rig.states()) == ["told", "unsure"]
    assert rig.failing().unsure == 0


def test_a_sender_that_dies_during_the_call_leaves_an_unknown_outcome(rig: Rig) -> None:
    rig.chat.script = [Crash()]
    rig.say(draft("noc-1"))
    with pytest.raises(Crash):
        rig.run()
    rig.holder = "two"
    assert rig.run() == 0
    rig.later(60_000)
    assert rig.run() == 0  # the lease is over: unknown, and once more a little later
    rig.later(15_000)
    assert rig.run() == 1
    assert [REPEAT in line for line in rig.chat.headlines] == [False, True]
    assert [state for _, state in rig.states()] == ["told"]


def test_a_sender_that_comes_back_too_late_changes_nothing(rig: Rig) -> None:
    rig.say(draft("noc-1"))
    slow = rig.post()
    errand = slow.errand(rig.now_ms)
    assert errand is not None
    result = slow.deliver(errand)
    rig.later(60_000)
    rig.run()  # another one finds the lease over
    slow.settle(errand, result, rig.now_ms)
    rig.later(15_000)
    rig.run()
    assert [REPEAT in line for line in rig.chat.headlines] == [False, True]
    assert [state for _, state in rig.states()] == ["told"]


def test_while_a_call_runs_nobody_else_writes_to_that_person(rig: Rig) -> None:
    rig.say(draft("noc-1"), draft("noc-1", "FLG-26-00002"))
    first = rig.post()
    errand = first.errand(rig.now_ms)
    assert errand is not None
    assert rig.run() == 0
    first.settle(errand, first.deliver(errand), rig.now_ms)
    assert rig.run() == 1


def test_what_may_have_arrived_stays_marked_by_whatever_channel_it_goes_next(rig: Rig) -> None:
    rig.channels["mail"] = Scripted()
    rig.know(person("noc-1", Role.NOC, "chat:1", "mail:a@example"))
    rig.chat.script = [undelivered(Trouble.UNKNOWN), undelivered(Trouble.ADDRESS)]
    rig.say(draft("noc-1"))
    for _ in range(3):
        rig.run()
        rig.later(MINUTE)
    assert REPEAT in next(line for line in rig.channels["mail"].headlines if "FLG" in line)


# ---- rows that throw -------------------------------------------------------------------------------------------------


def test_a_notice_that_cannot_be_put_into_words_waits_an_hour_and_the_rest_go_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    poison = replace(draft("noc-1", "FLG-26-00007"), facts={"kind": "DEVICE_OFFLINE", "unit": "PSK/B/03/12"})
    rig.say(poison, *(draft("noc-1", f"FLG-26-{n:05}") for n in range(1, 7)))
    with caplog.at_level(logging.DEBUG):
        rig.run()
    assert sum(state == "told" for _, state in rig.states()) == 6
    assert {record.action for record in caplog.records} == {"notice_broken"}
    assert "PSK/B" not in caplog.text
    (waits,) = [notice for notice in rig.notices() if notice.state is State.WAITING]
    assert waits.due_ms == NOON + HOUR


def test_a_channel_that_throws_makes_its_row_wait_an_hour_and_the_rest_go_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.chat.script = [ValueError("PSK/B/03/12 and https://secret.example/token")]
    rig.say(draft("noc-1"), draft("noc-1", "FLG-26-00002"))
    with caplog.at_level(logging.DEBUG):
        assert rig.run() == 2
    assert "PSK/B" not in caplog.text and "secret" not in caplog.text
    assert [record.action for record in caplog.records] == ["message_broken"]
    rig.later(HOUR)
    assert rig.run() == 1
    assert {state for _, state in rig.states()} == {"told"}


# ---- ends ------------------------------------------------------------------------------------------------------------


def test_an_end_of_what_was_never_told_is_not_told_either(rig: Rig) -> None:
    rig.say(draft("noc-1"), draft("noc-1", said="closed"))
    assert rig.run() == 0
    assert {state for _, state in rig.states()} == {"moot"}


def test_an_end_after_an_opening_that_reached_nobody_is_moot(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.REFUSED)]
    rig.say(draft("noc-1"))
    rig.run()
    rig.say(draft("noc-1", said="closed"))
    rig.run()
    assert [state for _, state in rig.states()] == ["unreached", "moot"]


def test_an_end_after_an_opening_that_may_have_arrived_is_told(rig: Rig) -> None:
    rig.chat.script = [undelivered(Trouble.UNKNOWN), undelivered(Trouble.UNKNOWN)]
    rig.say(draft("noc-1"))
    for _ in range(3):
        rig.run()
        rig.later(MINUTE)
    rig.say(draft("noc-1", said="closed"))
    rig.run()
    assert "pulih" in rig.chat.headlines[-1]


def test_somebody_without_an_address_is_an_alarm(rig: Rig) -> None:
    rig.know(replace(person("noc-1"), addresses=()))
    rig.say(draft("noc-1"))
    assert rig.run() == 0
    assert rig.failing().unreached == 1


# ---- several senders -------------------------------------------------------------------------------------------------


def test_of_two_senders_at_once_each_message_is_sent_by_one(rig: Rig) -> None:
    rig.know(*(person(f"noc-{n}") for n in range(12)))
    rig.say(*(draft(f"noc-{n}", f"FLG-26-{m:05}") for n in range(12) for m in range(3)))

    def work(name: str) -> None:
        own = replace(rig.post(), holder=name)
        while send_one(own, lambda: rig.now_ms):
            pass

    threads = [threading.Thread(target=work, args=(f"sender-{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rig.run()
    assert len(rig.chat.sent) == 36
    assert len({message.key for message in rig.chat.sent}) == 36


def test_an_attempt_is_written_before_its_call(rig: Rig) -> None:
    seen: list[int | None] = []

    class Looking(Scripted):
        def send(self, message):
            (open_,) = rig.records.read(lambda connection: messages.open_of(connection, "noc-1"))
            seen.append(open_.running)
            return super().send(message)

    rig.channels["chat"] = Looking()
    rig.say(draft("noc-1"))
    rig.run(notify=Notify())
    assert seen and seen[0] is not None
