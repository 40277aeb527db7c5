"""A sender as a process of its own, which kills itself (SIGKILL) where it is told: `python mortal_sender.py …`."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from cloud.alerts.channels import Secrets, open_channel
from cloud.alerts.sending import Post
from cloud.records import open_records

KEY = "signing-key"


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def main(database: str, now: str, dies: str, after: str) -> None:
    """Send what is due at *now*; in the errand number *after* die `before` its call, `after` it, or `never`."""
    now_ms, errands = int(now), 0
    with open_records(database) as records:
        post = Post(records, {"webhook": open_channel("webhook:", Secrets(KEY))}, f"sender-{os.getpid()}")
        while errand := post.errand(now_ms):
            errands += 1
            if dies == "before" and errands == int(after):
                die()
            result = post.deliver(errand)
            if dies == "after" and errands == int(after):
                die()
            post.settle(errand, result, now_ms)


if __name__ == "__main__":
    main(*sys.argv[1:])
