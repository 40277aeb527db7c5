"""Stories of households: nothing that we could not see, and nothing that came late, is ever held against a family."""

from datetime import date, timedelta

from storytelling import OFFICE, Y2000_MS, at, everybody

from cloud.alerts.flags.flag import Outcome
from cloud.days import HOUR, MINUTE
from cloud.records import notices

MAY_12 = date(2026, 5, 12)
PERIOD = timedelta(days=14)


def estate(world, go_live, *, uprs=("smtp",), machines=("PSK-01",)):
    """Rusun Pesakih from its first day on. Its officer reads mails, which name the unit."""
    world.begins(go_live)
    world.estate("PSK", "Pesakih", *machines, hours=OFFICE)
    world.employ(*everybody("PSK", uprs=uprs))


async def morning(world, day):
    """The day from 07.30, when digests are written, until the office is open."""
    await world.until(day, "07:30", every=12 * HOUR)
    await world.until(day, "08:00", every=12 * HOUR)


# ---- S2 --------------------------------------------------------------------------------------------------------------

BLACKOUT = date(2019, 8, 4)
ESTATES = {"DMG": "Daan Mogot", "MRD": "Marunda", "RWB": "Rawa Bebek", "TMB": "Tambora"}


async def summer(world, *, is_dark):
    """Six weeks that end on 4 August 2019. Of the last period ten days can count, if that Sunday does."""
    world.begins(BLACKOUT - 3 * PERIOD + timedelta(days=1))
    for code, name in {"PSK": "Pesakih", **ESTATES}.items():
        world.estate(code, name, *([f"{code}-01", f"{code}-02"] if code == "DMG" else [f"{code}-01"]), hours=OFFICE)
    world.employ(*everybody("PSK", uprs=("smtp",)))
    world.units("PSK")
    world.calendar(date(2019, 7, 29), date(2019, 8, 1), "closure")
    await world.weeks(BLACKOUT)
    await world.until(BLACKOUT, "11:48", every=6 * HOUR)
    world.story()
    if is_dark:
        await dark_until_evening(world)
    await world.until(BLACKOUT + timedelta(days=1), "00:30", every=3 * HOUR)
    await morning(world, BLACKOUT + timedelta(days=1))


async def dark_until_evening(world):
    world.note("listrik padam di seluruh kota")
    for machine in world.machines.values():
        machine.loses_power()
    await world.until(BLACKOUT, "11:58", every=5 * MINUTE)
    await world.until(BLACKOUT, "12:06", every=2 * MINUTE)
    await world.until(BLACKOUT, "19:00", every=HOUR)
    world.note("listrik kembali, kawasan demi kawasan")
    for minute, machine in enumerate(world.machines.values(), 1):
        machine.gets_power()
        await world.until(BLACKOUT, f"19:{minute:02}")
    await world.until(BLACKOUT, "19:22", every=3 * MINUTE)


async def test_s2_the_blackout_of_4_august_2019_is_one_outage_and_counts_against_nobody(world, another, golden):
    await summer(world, is_dark=True)
    assert world.whats("WIDE_OUTAGE") == ["opened", "closed"]
    assert "opened" not in world.whats("UNIT_NO_TAPS") and not world.whats("DEVICE_OFFLINE")
    bright = another()
    await summer(bright, is_dark=False)
    assert "opened" in bright.whats("UNIT_NO_TAPS"), "without the blackout this unit had been asked"
    golden(world, "S2 · Padam listrik 4 Agustus 2019, 11.48 sampai 19.00")


# ---- S3 --------------------------------------------------------------------------------------------------------------


async def ten_days(world, *, is_dead):
    """A unit without a tap for two periods; of the third, its estate's only machine is dead for ten days."""
    estate(world, MAY_12 - 2 * PERIOD)
    world.units("PSK")
    await world.weeks(MAY_12)
    await world.until(MAY_12, "10:00", every=9 * HOUR)
    world.story()
    if is_dead:
        await dead_until_the_22nd(world)
    await world.weeks(MAY_12 + PERIOD)
    await morning(world, MAY_12 + PERIOD)


async def dead_until_the_22nd(world):
    world.note("listrik mesin PSK-01 padam; mesin itu satu-satunya di Rusun Pesakih")
    world.machines["PSK-01"].loses_power()
    await world.until(MAY_12, "10:14", every=7 * MINUTE)
    await world.until(MAY_12, "10:16")
    await world.until(MAY_12, "11:00", every=44 * MINUTE)
    for day in range(13, 22):
        await world.until(date(2026, 5, day), "07:30", every=24 * HOUR)
        await world.until(date(2026, 5, day), "10:00", every=3 * HOUR)
    await world.until(date(2026, 5, 22), "07:30", every=24 * HOUR)
    await world.until(date(2026, 5, 22), "09:59", every=3 * HOUR)
    world.note("listrik kembali")
    world.machines["PSK-01"].gets_power()
    await world.until(date(2026, 5, 22), "10:12", every=3 * MINUTE)
    await world.until(date(2026, 5, 23), "07:30", every=24 * HOUR)


async def test_s3_a_machine_that_stands_alone_is_one_flag_for_ten_days_and_its_estates_clock_stands_still(
    world, another, golden
):
    await ten_days(world, is_dead=True)
    assert world.whats("DEVICE_OFFLINE") == ["opened", "closed"] and not world.whats("ESTATE_OFFLINE")
    assert world.whats("UNIT_NO_TAPS") == ["watch"]
    well = another()
    await ten_days(well, is_dead=False)
    assert "opened" in well.whats("UNIT_NO_TAPS"), "with its machine alive this unit had been asked"
    golden(world, "S3 · Satu-satunya mesin sebuah rusun mati 10 hari")


# ---- S4 --------------------------------------------------------------------------------------------------------------


async def test_s4_a_backlog_of_nine_days_opens_nothing_that_it_would_have_to_close(world, golden):
    """Of two units one taps in the third period, at a machine that is cut off after ten of its days had counted."""
    estate(world, MAY_12 - 2 * PERIOD)
    taps_at_last, taps_never = world.units("PSK", 2)
    began = MAY_12 + timedelta(days=10)
    await world.weeks(began)
    world.story()
    world.note("jaringan PSK-01 terputus; mesin tetap menerima tap")
    machine = world.machines["PSK-01"]
    machine.has_network = False
    await world.until(began, "01:16", every=8 * MINUTE)
    world.passes(at(began, "12:00"))
    machine.tap(taps_at_last)
    for number in range(1, 9):
        await world.until(began + timedelta(days=number), "07:30", every=24 * HOUR)
    await world.until(began + timedelta(days=9), "07:30", every=24 * HOUR)
    world.note(f"tersambung kembali; {len(machine.waiting)} catatan dikirim")
    machine.has_network = True
    await world.until(began + timedelta(days=9), "07:44", every=7 * MINUTE)
    await world.until(began + timedelta(days=9), "08:30", every=23 * MINUTE)
    await world.until(began + timedelta(days=10), "08:00", every=24 * HOUR)
    assert world.whats("UNIT_NO_TAPS", taps_at_last) == ["watch"]
    assert world.whats("UNIT_NO_TAPS", taps_never) == ["watch", "opened"]
    golden(world, "S4 · Catatan sembilan hari tertahan")


# ---- S5 --------------------------------------------------------------------------------------------------------------

LEBARAN = date(2026, 3, 10), date(2026, 3, 30)
MOVED = date(2026, 3, 12), date(2026, 4, 1)
"""Two days later, as a decree has it that came after the calendar was printed."""


async def spring(world, *, is_known_in_time):
    """Of the last period eleven days count by the old calendar, nine by the new one."""
    estate(world, date(2026, 2, 14))
    world.units("PSK")
    row = world.calendar(*LEBARAN, "lebaran")

    def moved():
        world.calendar(*MOVED, "lebaran", id=row, is_new=False)

    if is_known_in_time:
        await world.weeks(date(2026, 3, 2))
        moved()
    await world.weeks(date(2026, 4, 10))
    world.story()
    await world.weeks(date(2026, 4, 11))
    await morning(world, date(2026, 4, 13))
    if not is_known_in_time:
        await world.until(date(2026, 4, 14), "09:00", every=30 * HOUR)
        world.note("keputusan yang menggeser Lebaran dua hari baru sekarang dicatat")
        moved()
    await world.until(date(2026, 4, 14), "10:00", every=30 * HOUR)


async def test_s5_when_lebaran_is_moved_no_day_of_it_counts_and_what_was_said_is_taken_back(world, another, golden):
    await spring(world, is_known_in_time=False)
    assert world.whats("UNIT_NO_TAPS") == ["watch", "opened", "retracted"]
    timely = another()
    await spring(timely, is_known_in_time=True)
    assert timely.whats("UNIT_NO_TAPS") == ["watch"]
    golden(world, "S5 · Lebaran digeser dua hari, dan itu baru dicatat sesudahnya")


# ---- S6 --------------------------------------------------------------------------------------------------------------


async def test_s6_a_clock_in_the_year_2000_for_a_day_loses_no_tap(world, golden):
    """The only tap of a unit's third period is made on that day."""
    estate(world, MAY_12 - 2 * PERIOD)
    taps_then, taps_never = world.units("PSK", 2)
    last = MAY_12 + timedelta(days=10)
    await world.weeks(last)
    await world.until(last, "10:00", every=9 * HOUR)
    world.story()
    world.note("PSK-01 menyala ulang tanpa waktu: jamnya menunjukkan 1 Januari 2000")
    machine = world.machines["PSK-01"]
    machine.loses_power()
    machine.gets_power(clock_at_ms=Y2000_MS)
    await world.until(last, "10:20", every=5 * MINUTE)
    await world.until(last, "12:00", every=50 * MINUTE)
    machine.tap(taps_then)
    await world.until(last + timedelta(days=1), "10:00", every=11 * HOUR)
    world.note("jamnya benar kembali")
    machine.clock_ms = None
    machine.hour_ms = world.now_ms
    machine.keeps("event", event="clock_step")
    await world.until(last + timedelta(days=1), "10:24", every=6 * MINUTE)
    await world.weeks(MAY_12 + PERIOD)
    await morning(world, MAY_12 + PERIOD)
    assert world.whats("UNIT_NO_TAPS", taps_then) == ["watch"]
    assert world.whats("UNIT_NO_TAPS", taps_never) == ["watch", "opened"]
    golden(world, "S6 · Jam mesin menunjukkan 1 Januari 2000 selama sehari")


# ---- S12, S13 --------------------------------------------------------------------------------------------------------


async def test_s12_a_tap_one_minute_before_the_end_of_a_period_is_in_it(world, golden):
    estate(world, MAY_12 - 2 * PERIOD)
    taps_at_last, taps_never = world.units("PSK", 2)
    last = MAY_12 + PERIOD - timedelta(days=1)
    await world.weeks(last)
    world.passes(at(last, "23:59"))
    world.story()
    world.note("satu unit tap pada pukul 23.59 di hari terakhir periode, unit lain tidak")
    world.machines["PSK-01"].tap(taps_at_last)
    await world.until(MAY_12 + PERIOD, "00:30", every=MINUTE * 16)
    await morning(world, MAY_12 + PERIOD)
    assert world.whats("UNIT_NO_TAPS", taps_at_last) == ["watch"]
    assert world.whats("UNIT_NO_TAPS", taps_never) == ["watch", "opened"]
    golden(world, "S12 · Tap pukul 23.59 WIB pada hari terakhir periode")
    await world.weeks(MAY_12 + 3 * PERIOD)
    assert world.whats("UNIT_NO_TAPS", taps_at_last) == ["watch", "watch"], "it counts anew from that tap on"


async def test_s13_leave_that_is_entered_after_the_flag_takes_it_back_with_an_apology(world, golden):
    estate(world, MAY_12 - 2 * PERIOD)
    (unit,) = world.units("PSK")
    await world.weeks(MAY_12 + PERIOD - timedelta(days=1))
    world.story()
    await world.until(MAY_12 + PERIOD, "00:30", every=24 * HOUR)
    await morning(world, MAY_12 + PERIOD)
    await world.until(MAY_12 + PERIOD, "10:00", every=24 * HOUR)
    world.note("UPRS mencatat izin yang sudah lama diberikan: ibadah haji, 1 sampai 30 Mei")
    leave = {"from_day": date(2026, 5, 1), "to_day": date(2026, 5, 30), "known_from_ms": world.now_ms}
    world.register("leave", unit=unit, **leave)
    await world.until(MAY_12 + PERIOD, "10:01")
    assert world.whats("UNIT_NO_TAPS") == ["watch", "opened", "retracted"]
    golden(world, "S13 · Izin yang dicatat setelah flag")


# ---- S14, S15 --------------------------------------------------------------------------------------------------------


async def test_s14_when_120_units_stop_at_once_a_human_looks_before_anybody_is_asked(world, golden):
    """After five periods of taps the reader reads nothing more, for three periods, and says that it is well."""
    begin = MAY_12 - 5 * PERIOD
    estate(world, begin, uprs=("whatsapp", "smtp"))
    units = world.units("PSK", 120)
    machine = world.machines["PSK-01"]

    def daily(day):
        number = (day - begin).days
        for unit in units[number % 14 :: 14]:
            machine.tap(unit)

    await world.weeks(MAY_12, daily=daily)
    world.story()
    world.note("sejak hari ini tidak ada satu pun tap lagi, dari 120 unit")
    await world.weeks(MAY_12 + timedelta(days=4))
    await world.unread(MAY_12 + PERIOD - timedelta(days=1))
    await world.weeks(MAY_12 + PERIOD)
    await morning(world, MAY_12 + PERIOD)
    await world.unread(MAY_12 + 3 * PERIOD - timedelta(days=1))
    await world.weeks(MAY_12 + 3 * PERIOD)
    await morning(world, MAY_12 + 3 * PERIOD)
    assert world.whats("UNIT_NO_TAPS").count("held") == 120 and "opened" not in world.whats("UNIT_NO_TAPS")
    await world.until(MAY_12 + 3 * PERIOD, "10:00", every=24 * HOUR)
    world.note("pembaca kartu diganti; ke-120 unit tap kembali")
    for unit in units:
        machine.tap(unit)
    await world.until(MAY_12 + 3 * PERIOD, "10:22", every=11 * MINUTE)
    assert world.whats("UNIT_NO_TAPS").count("closed") == 120
    golden(world, "S14 · 120 unit berhenti tap pada saat yang sama")


async def test_s15_a_swapped_machine_that_comes_back_with_300_taps_accuses_nobody(world, golden):
    """The only taps of five units in a period of which ten days count are in a machine that lies in a workshop."""
    estate(world, MAY_12 - 2 * PERIOD)
    units = world.units("PSK", 5)
    began = MAY_12 + timedelta(days=10)
    await world.weeks(began)
    await world.until(began, "10:00", every=9 * HOUR)
    world.story()
    world.note("jaringan PSK-01 terputus; mesin tetap menerima tap")
    old = world.machines["PSK-01"]
    old.has_network = False
    await world.until(began, "10:16", every=8 * MINUTE)

    def daily(day):
        for unit in 12 * units:
            old.tap(unit)

    await world.weeks(began + timedelta(days=5), daily=daily)
    await world.until(began + timedelta(days=5), "10:00", every=9 * HOUR)
    world.note("PSK-01 ditukar dengan PSK-02 dan dibawa ke bengkel")
    old.loses_power()
    world.remove("PSK-01")
    world.install("PSK-02", "PSK", OFFICE)
    await world.until(began + timedelta(days=5), "10:01")
    await world.weeks(began + timedelta(days=16))
    assert world.whats("UNIT_NO_TAPS") == 5 * ["watch"], "not judged: what PSK-01 holds may speak for them"
    await world.until(began + timedelta(days=16), "10:00", every=9 * HOUR)
    assert sum(each.record.kind == "tap" for each in old.waiting) == 300
    world.note("PSK-01 menyala di bengkel dan mengirim 300 tap")
    old.has_network = True
    old.gets_power()
    await world.until(began + timedelta(days=16), "10:22", every=11 * MINUTE)
    await world.until(began + timedelta(days=17), "09:00", every=24 * HOUR)
    assert "opened" not in world.whats("UNIT_NO_TAPS")
    golden(world, "S15 · Mesin yang sudah ditukar kembali dengan 300 tap")


# ---- I14 -------------------------------------------------------------------------------------------------------------


async def test_no_decision_about_a_household_sends_anything_to_anybody(world) -> None:
    """I14: letters and sanctions are written by people; the strongest decision leaves no trace but its own."""
    estate(world, MAY_12 - 2 * PERIOD)
    world.units("PSK", len(Outcome))
    await world.weeks(MAY_12 + PERIOD - timedelta(days=1))
    await world.until(MAY_12 + PERIOD, "00:30", every=24 * HOUR)
    world.desk("uprs").release("PSK", "diperiksa di lokasi")
    await world.until(MAY_12 + PERIOD, "00:31")
    await morning(world, MAY_12 + PERIOD)
    before = world.records.read(lambda connection: notices.since(connection, 0))
    for number, outcome in enumerate(Outcome, 2):
        world.desk("uprs").decide(f"FLG-26-{number:05}", outcome)
    world.story()
    await world.until(MAY_12 + PERIOD, "10:00", every=2 * HOUR)
    assert world.spoken == []
    assert [each.key for each in world.records.read(lambda connection: notices.since(connection, 0))] == [
        each.key for each in before
    ]
