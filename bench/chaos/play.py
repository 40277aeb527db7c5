"""Rows as processes of their own, a few at a time: each may have its own network, and none can hurt another."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Final

from bench.chaos import mortal
from bench.chaos.score import Score
from bench.chaos.stage import CannotRun, Row, Stage
from bench.chaos.table import Result
from demo.servers.process import MissingProgram

_FAILURE_LINES: Final = 12
_MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 4 * 1024**3


def here(row: Row, folder: Path, taps: int) -> None:
    """Play *row* in this process, telling the parent by lines of JSON how it goes."""
    folder.chmod(0o755)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything that was started is ended
    told = threading.Lock()

    def tell(words: str) -> None:
        with told:
            print(json.dumps({"told": words}), flush=True)  # noqa: T201 - the parent reads it

    if row.in_namespaces:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        score = row.play(Stage(folder, taps, tell))
    except (CannotRun, MissingProgram) as error:
        print(json.dumps({"missing": str(error)}), flush=True)  # noqa: T201
    else:
        print(json.dumps({"score": asdict(score)}), flush=True)  # noqa: T201


def several(rows: Sequence[Row], taps: int, *, jobs: int, told: Callable[[Row, str], None]) -> Iterator[Result]:
    """Play *rows*, *jobs* at a time, those that mostly wait first. Results come as they are ready."""
    order = sorted(rows, key=lambda row: not row.slow)
    with ThreadPoolExecutor(jobs) as pool:
        running: list[Future[Result]] = [pool.submit(_apart, row, taps, told) for row in order]
        for done in as_completed(running):
            yield done.result()


def _apart(row: Row, taps: int, told: Callable[[Row, str], None]) -> Result:
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{row.name[:20]}-", dir=_quick_disk()))
    alone = mortal.words(*(("--net", "--mount") if row.in_namespaces else ()))
    command = [*alone, sys.executable, "-m", "bench.chaos", "--play", row.name, "--in", str(folder)]
    errors = folder / "errors"
    with errors.open("wb") as stderr:
        child = subprocess.Popen([*command, "--taps", str(taps)], stdout=subprocess.PIPE, stderr=stderr)
    said: dict[str, object] = {}
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            said |= json.loads(line)
            told(row, str(said.get("told", "")))
    child.wait()
    result = _result(row, said, errors, time.monotonic() - began)
    if result.is_good and "HADIR_CHAOS_KEEP" not in os.environ:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _result(row: Row, said: dict[str, object], errors: Path, seconds: float) -> Result:
    if isinstance(score := said.get("score"), dict):
        return Result(row, Score(**{**score, "complaints": tuple(score["complaints"])}), seconds=seconds)
    if missing := said.get("missing"):
        return Result(row, None, f"cannot run here: {missing}", seconds)
    last = "\n".join(errors.read_text(errors="replace").splitlines()[-_FAILURE_LINES:])
    return Result(row, None, f"broke (everything lies in {errors.parent}): {last}", seconds)


def _quick_disk() -> Path | None:
    """Where rows play: in memory if there is room. What a real disk forgets is tried by the row that rebuilds one."""
    if "HADIR_CHAOS_KEEP" in os.environ or not _MEMORY.is_dir():
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free >= _ROOM else None
