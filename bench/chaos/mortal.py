"""Nothing outlives whoever started it: a program and all it starts live in a process namespace that ends with it.

Kills of every kind are what the rig is about, its own included; no handler runs then, the kernel alone cleans up.
"""

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

_OWN_PIDS: Final = ("--pid", "--fork", "--kill-child", "--mount-proc")
_REAPER: Final = ("sh", "-c", '"$@"; exit $?', "sh")
"""The first process of a namespace inherits its orphans, and must take note of their end."""


def words(*more: str) -> list[str]:
    """What stands before a command so that everything it starts ends with it, and it with us; *more* for `unshare`."""
    if not more and not may_have_own_pids():
        return [*_with_us("TERM")]
    user = "--map-root-user" if more else "--map-current-user"
    return [*_with_us("KILL"), "unshare", *more, *_OWN_PIDS, *([user] if os.geteuid() else []), *_REAPER]


def _with_us(signal: str) -> Sequence[str]:
    return ("setpriv", "--pdeathsig", signal) if shutil.which("setpriv") else ()


@functools.cache
def may_have_own_pids() -> bool:
    """Whether this computer lets us have a process namespace."""
    user = ["--map-current-user"] if os.geteuid() else []
    command = ["unshare", *_OWN_PIDS, *user, "true"]
    return bool(shutil.which("unshare")) and not subprocess.run(command, capture_output=True, check=False).returncode
