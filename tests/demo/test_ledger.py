"""The demo's book: a tap waits until its machine knows."""

from contract.ranges import Ranges
from contract.topics import DeviceId
from demo.ledger import Ledger, Made

DMG, JNK = DeviceId("DMG-01"), DeviceId("JNK-01")


def book() -> Ledger:
    ledger = Ledger()
    ledger.keep((DMG, 2), Made("aa", 1000, 1010, kept_s=1.0))
    ledger.keep((DMG, 3), Made("bb", 2000, 2010, kept_s=2.0))
    ledger.keep((JNK, 3), Made("cc", 2000, 2010, kept_s=2.0))
    return ledger


def test_a_tap_waits_until_it_is_confirmed() -> None:
    ledger = book()
    ledger.confirm(DMG, Ranges.upto(2))
    assert ledger.waiting == [(DMG, 3), (JNK, 3)]


def test_a_light_confirms_one_tap_and_tells_how_long_it_took() -> None:
    ledger = book()
    ledger.light((DMG, 3), 2.5)
    assert (ledger.slowest_s, ledger.typical_s) == (0.5, 0.5)
    assert ledger.waiting == [(DMG, 2), (JNK, 3)]


def test_confirmations_of_one_machine_say_nothing_of_another() -> None:
    ledger = book()
    ledger.confirm(DMG, Ranges.upto(9))
    assert ledger.waiting == [(JNK, 3)]


def test_a_light_for_a_tap_nobody_made_is_ignored() -> None:
    ledger = book()
    ledger.light((JNK, 9), 3.0)
    assert ledger.slowest_s is None
    assert ledger.confirmed == {}


def test_the_first_light_counts() -> None:
    ledger = book()
    ledger.light((DMG, 2), 1.25)
    ledger.light((DMG, 2), 9.0)
    assert ledger.slowest_s == 0.25


def test_taps_are_counted_by_machine() -> None:
    assert (book().taps_of(DMG), book().taps_of(JNK)) == (2, 1)
