"""Real servers as fixtures. A missing program skips the test and says how to get it; HADIR_NO_SKIP=1 makes it fail."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from demo.servers.mosquitto import Mosquitto
from demo.servers.process import MissingProgram


def skip_or_fail(reason: str, *, strict: bool) -> NoReturn:
    """Where everything must run (*strict*), something missing is a failure; elsewhere a skip that says what to do."""
    if strict:
        pytest.fail(f"{reason} (HADIR_NO_SKIP is set, so this is a failure)", pytrace=False)
    pytest.skip(reason)


def missing(error: MissingProgram | str) -> NoReturn:
    """Give up on a test because of a missing program."""
    skip_or_fail(str(error), strict=os.environ.get("HADIR_NO_SKIP") == "1")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker of its own, TLS and ACL as in production; `issue` and `admit` whom the test needs."""
    try:
        server = Mosquitto(tmp_path / "mosquitto")
    except MissingProgram as error:
        missing(error)
    with server:
        yield server
