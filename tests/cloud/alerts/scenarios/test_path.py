"""Stories of machines, broker and power: one cause is told once, to the right people, and so is its end."""

from datetime import date, timedelta

from storytelling import everybody

from cloud.days import HOUR, MINUTE

TUESDAY, WEDNESDAY, THURSDAY = date(2026, 5, 12), date(2026, 5, 13), date(2026, 5, 14)
ESTATES = {"DMG": "Daan Mogot", "PSK": "Pesakih", "MRD": "Marunda", "RWB": "Rawa Bebek", "TMB": "Tambora"}


def city(world, day=TUESDAY, clock="08:00", *, upright="PSK", **more):
    """Six machines in five estates, all well; two stand at Daan Mogot. People of *upright* and of the centre read."""
    world.begins(day, clock)
    for code, name in ESTATES.items():
        devices = ["DMG-01", "DMG-02"] if code == "DMG" else [f"{code}-01"]
        world.estate(code, name, *devices, go_live=day - timedelta(days=400), **more)
    world.employ(*everybody(upright))


async def test_s1_a_broker_that_dies_is_told_once_and_so_is_its_return(world, golden):
    city(world)
    await world.until(TUESDAY, "10:00", every=HOUR)
    world.story()
    world.note("broker mati")
    world.is_broker_up = False
    await world.until(TUESDAY, "10:08")
    await world.until(TUESDAY, "10:20", every=4 * MINUTE)
    world.note("broker hidup kembali; mesin tersambung satu per satu")
    world.is_broker_up = True
    for machine in world.machines.values():
        machine.has_network = False
    for minute, machine in enumerate(world.machines.values(), 21):
        machine.has_network = True
        await world.until(TUESDAY, f"10:{minute}")
    await world.until(TUESDAY, "10:36")
    await world.until(TUESDAY, "12:00", every=HOUR)
    assert len(world.spoken) == 2
    golden(world, "S1 · Broker mati 20 menit: satu pemberitahuan, satu pemberitahuan pulih")


async def test_s7_a_worker_that_was_off_for_three_days_tells_what_is_true_now(world, golden):
    city(world)
    await world.until(TUESDAY, "10:00", every=HOUR)
    world.story()
    world.note("jaringan PSK-01 terputus")
    world.machines["PSK-01"].has_network = False
    await world.until(TUESDAY, "10:16", every=4 * MINUTE)
    world.note("layanan peringatan mati")
    world.is_worker_up = False
    world.machines["MRD-01"].loses_power()
    await world.until(WEDNESDAY, "10:00", every=6 * HOUR)
    world.note("selama itu: MRD-01 mati semalam dan pulih, PSK-01 pulih, RWB-01 terputus")
    world.machines["MRD-01"].gets_power()
    world.machines["PSK-01"].has_network = True
    await world.until(WEDNESDAY, "12:00", every=10 * MINUTE)
    world.machines["RWB-01"].has_network = False
    await world.until(date(2026, 5, 15), "10:16", every=6 * HOUR)
    world.note("layanan peringatan hidup kembali")
    world.starts_worker()
    await world.until(date(2026, 5, 15), "10:30")
    await world.until(date(2026, 5, 15), "12:00", every=HOUR)
    golden(world, "S7 · Layanan peringatan mati tiga hari")


async def test_s10_of_an_estate_that_is_back_the_machine_that_is_not_is_told_of_when_that_has_settled(world, golden):
    city(world, upright="DMG")
    await world.until(TUESDAY, "10:00", every=HOUR)
    world.story()
    world.note("listrik Rusun Daan Mogot padam")
    for device in ("DMG-01", "DMG-02"):
        world.machines[device].loses_power()
    await world.until(TUESDAY, "10:14", every=7 * MINUTE)
    await world.until(TUESDAY, "10:18")
    await world.until(TUESDAY, "12:00", every=20 * MINUTE)
    world.note("listrik kembali; DMG-02 tidak menyala lagi")
    world.machines["DMG-01"].gets_power()
    await world.until(TUESDAY, "12:25")
    await world.until(TUESDAY, "14:00", every=20 * MINUTE)
    world.note("teknisi menyalakan DMG-02")
    world.machines["DMG-02"].gets_power()
    await world.until(TUESDAY, "14:15", every=2 * MINUTE)
    assert world.whats("ESTATE_OFFLINE") == ["opened", "closed"]
    golden(world, "S10 · Rusun pulih, satu dari dua mesinnya tidak")


async def test_s11_what_was_taken_in_hand_speaks_again_when_it_becomes_worse(world, golden):
    city(world)
    await world.until(TUESDAY, "10:00", every=HOUR)
    world.story()
    machine = world.machines["PSK-01"]
    world.note("ruang simpan PSK-01 tersisa 9 %")
    machine.free_pct = 9.0
    await world.until(TUESDAY, "10:02")
    world.note("teknisi mengambil alih")
    world.desk("teknisi").acknowledge("FLG-26-00001", expiry_h=72)
    await world.until(TUESDAY, "14:00", every=HOUR)
    world.note("tersisa 4 %: tap segera ditolak")
    machine.free_pct = 4.0
    await world.until(TUESDAY, "14:02")
    await world.until(TUESDAY, "16:00", every=HOUR)
    world.note("ruang simpan dikosongkan")
    machine.free_pct = 60.0
    await world.until(TUESDAY, "16:15", every=5 * MINUTE)
    golden(world, "S11 · Sudah ditangani, lalu memburuk")


async def test_s16_a_fault_of_one_night_is_in_the_digest_alone(world, golden):
    city(world)
    await world.until(TUESDAY, "21:00", every=6 * HOUR)
    world.story()
    world.note("jaringan PSK-01 terputus")
    world.machines["PSK-01"].has_network = False
    await world.until(TUESDAY, "21:18", every=6 * MINUTE)
    await world.until(WEDNESDAY, "05:00", every=2 * HOUR)
    world.note("tersambung kembali")
    world.machines["PSK-01"].has_network = True
    await world.until(WEDNESDAY, "05:12", every=4 * MINUTE)
    await world.until(WEDNESDAY, "09:00", every=30 * MINUTE)
    assert all("Laporan harian" in line for line in world.spoken)
    golden(world, "S16 · Gangguan semalam, 21.00 sampai 05.00: hanya laporan harian")
