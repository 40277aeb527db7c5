"""Files that are either the old one or the new one, also after a power cut; secrets are never readable by others."""

import os
import secrets
from pathlib import Path

PUBLIC = 0o644
SECRET = 0o600


def replace(path: Path, content: bytes, *, mode: int = PUBLIC) -> None:
    """Put *content* at *path* in one step.

    Run as root, the owner stays that of the file before it, else of its folder: what lands in a folder of the broker's
    user can be read by the broker.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    try:
        _write(new, content, mode=mode, owned_like=path if path.exists() else path.parent)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    _sync_folder(path.parent)


def create(path: Path, content: bytes, *, mode: int = PUBLIC) -> None:
    """Put *content* at *path*; raises `FileExistsError` rather than touch what is already there."""
    if path.exists():
        raise FileExistsError(f"{path} already exists and is not overwritten: choose another place or move it away.")
    replace(path, content, mode=mode)


def _write(path: Path, content: bytes, *, mode: int, owned_like: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        if os.geteuid() == 0:
            os.fchown(file.fileno(), owned_like.stat().st_uid, owned_like.stat().st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
