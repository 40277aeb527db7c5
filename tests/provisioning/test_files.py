import os
import stat
from pathlib import Path

import pytest

from provisioning import files


def test_a_replaced_file_has_the_new_content_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    files.replace(tmp_path / "acl", b"old")
    files.replace(tmp_path / "acl", b"new")
    assert (tmp_path / "acl").read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["acl"]


def test_a_reader_that_has_the_old_file_open_keeps_reading_the_old_one(tmp_path: Path) -> None:
    files.replace(tmp_path / "acl", b"old")
    with (tmp_path / "acl").open("rb") as reader:
        files.replace(tmp_path / "acl", b"new")
        assert reader.read() == b"old"


def test_a_secret_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        files.replace(tmp_path / "key", b"secret", mode=files.SECRET)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_create_refuses_what_is_already_there(tmp_path: Path) -> None:
    files.create(tmp_path / "pepper", b"first")
    with pytest.raises(FileExistsError, match="not overwritten"):
        files.create(tmp_path / "pepper", b"second")
    assert (tmp_path / "pepper").read_bytes() == b"first"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run as root")
def test_what_root_writes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    files.replace(tmp_path / "server.key", b"secret", mode=files.SECRET)
    assert (tmp_path / "server.key").stat().st_uid == 65534
