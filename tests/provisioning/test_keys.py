import stat
from pathlib import Path

import pytest

from contract.cards import Keyring, OpeningKey, SealingKey
from contract.topics import DeviceId
from provisioning import keys

MACHINE = DeviceId("DMG-01")


def test_what_the_public_file_seals_the_private_file_opens(tmp_path: Path) -> None:
    keys.new_sealing_key(tmp_path, "k2026")
    sealing = SealingKey.parse((tmp_path / "k2026.pub").read_text())
    opening = OpeningKey.parse((tmp_path / "k2026.key").read_text())
    uid = bytes.fromhex("04A1B2C3D4E5F6")
    assert Keyring({"k2026": opening}).open(sealing.seal(uid, MACHINE), MACHINE) == uid


def test_private_key_and_pepper_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    keys.new_sealing_key(tmp_path, "k2026")
    keys.new_pepper(tmp_path / "pepper")
    for name in ("k2026.key", "pepper"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_pepper_is_32_random_bytes(tmp_path: Path) -> None:
    keys.new_pepper(tmp_path / "a")
    keys.new_pepper(tmp_path / "b")
    assert len(bytes.fromhex((tmp_path / "a").read_text())) == 32
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_neither_is_ever_overwritten(tmp_path: Path) -> None:
    keys.new_sealing_key(tmp_path, "k2026")
    keys.new_pepper(tmp_path / "pepper")
    with pytest.raises(FileExistsError):
        keys.new_sealing_key(tmp_path, "k2026")
    with pytest.raises(FileExistsError):
        keys.new_pepper(tmp_path / "pepper")
