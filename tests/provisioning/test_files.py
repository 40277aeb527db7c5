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


@pytest.mark.parametrize("umask", [0, 0o022, 0o077], ids=oct)
@pytest.mark.parametrize("mode", [files.SECRET, files.PUBLIC], ids=oct)
def test_who_may_read_a_file_does_not_hang_on_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        files.replace(tmp_path / "key", b"secret", mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == mode


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
