"""What every panel, note and variable of the wall costs, on the real engine with a year behind it.

The rows are of the contract's series and of its shape, but random and the same again every hour: what a query costs
depends on how many it reads. `python -m bench.panels --write` keeps the table in docs/bench/panels.md.
"""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import click

import grafana
from bench import figures
from bench.figures import Figure, millis
from contract import series
from contract.series import Bucket, Measurement, Type
from demo.servers.influxdb import InfluxDB
from grafana import influxql, rules
from grafana.influxql import Choice

WALL: Final = Path(grafana.__file__).parent / "dashboards" / "hadir-armada.json"
PAGE: Final = Path(__file__).parents[1] / "docs" / "bench" / "panels.md"
NOW: Final = datetime(2026, 3, 31, 16, 50, tzinfo=UTC)
"""10 minutes before midnight in Jakarta: a panel of today reads all of it."""
MINUTE_S: Final = 60
QUARTER_S: Final = 15 * MINUTE_S
HOUR_S: Final = 60 * MINUTE_S
DAY_S: Final = 24 * HOUR_S
ESTATES: Final = 23
LINES: Final = 10_000
REPEATS: Final = 7
CALM_S: Final = 5.0
"""An engine is calm when it works less than a tenth of so long."""
LONGEST_UNREST_S: Final = 300.0
WIDTH: Final = 1000
"""Steps of a time axis, as many as Grafana asks for on a wall screen."""
AIM_S: Final = 0.2
LIMITS: Final = """\
What limits it: a panel costs what it reads, not what lies before its range: with a year behind it, or seven days
instead of one, it costs the same. The engine is Debian's InfluxDB 1.6; times are those of the whole answer as a client
in Python reads it. `load` is that of the computer, this included, and has two processors to share.

Far over a second at 3,200 machines are two panels, and what would help there:

- **Keadaan mesin** gives a row per machine and step, over a million, which no screen can show. There the wall is for
  chosen estates; for all of them it wants the estates' own rows (`fleet`: 23 instead of 3,200), or only the changes
  (`machine_event` of the kind `offline`, which ingest writes).
- **Tap per 15 menit** adds up every machine's quarter-hours of a day, taken and expected: 300,000 rows for 96. It
  wants a series per estate, written by the roll-up, which has the numbers in hand anyway. **Tap hari ini** too.
- The panels of the last three minutes (**Mesin daring**, **Rusun terdampak**, **Sedang terganggu**, **Semua mesin**,
  **Antrean**) open every machine's series once: 0.1 to 0.4 s, in step with the fleet. A count per estate and state in
  `fleet` would make the first two independent of it; the others are about single machines.
"""
_SPANS: Final = {"m": MINUTE_S, "h": HOUR_S, "d": DAY_S}


@dataclass(frozen=True, slots=True)
class Past:
    """How many machines, and for how many days there are rows."""

    machines: int
    minutes: int
    quarters: int
    rollups: int = 365
    is_aimed: bool = True

    @property
    def told(self) -> str:
        """For the table."""
        return f"{self.machines:,} machines, {self.minutes} d"


YEAR: Final = Past(32, minutes=365, quarters=365)
CITY: Final = Past(3200, minutes=7, quarters=7, is_aimed=False)
QUICK: Final = Past(32, minutes=2, quarters=2, rollups=30)


@dataclass(frozen=True, slots=True)
class Cost:
    """A query of the wall: the first time it is asked, the usual time, and how many rows it gives."""

    where: str
    first_s: float
    usual_s: float
    rows: int
    load: float
    """How busy the computer was meanwhile, this included."""


def chosen(is_quick: bool) -> tuple[Past, ...]:
    """What is measured: a look at whether it works, or all of it (three quarters of an hour of writing)."""
    return (QUICK,) if is_quick else (YEAR, CITY)


class Rows(NamedTuple):
    """Lines ready to be written, and how many."""

    number: int
    lines: str


def measure(*pasts: Past) -> list[Figure]:
    """Each past in an engine of its own, one after the other."""
    return [figure for past in pasts for figure in _measure(past)]


def _measure(past: Past) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="hadir-bench-") as folder, InfluxDB(Path(folder) / "influxdb") as engine:
        began, written = time.monotonic(), 0
        for bucket, steps in _everything(past):
            written += _pour(engine, bucket, steps)
        click.echo(f"{past.told}: {written:,} rows written in {time.monotonic() - began:,.0f} s", err=True)
        engine.restart()  # what is measured is on the disk, not in the engine's cache
        _calm(engine.pid)
        found = [_figure(past, cost) for cost in _costs(engine)]
    click.echo(figures.markdown(found), err=True)
    return found


def _calm(pid: int) -> None:
    """Wait until the engine has put in order what was written: that work is no part of a question's cost."""
    until = time.monotonic() + LONGEST_UNREST_S
    while time.monotonic() < until:
        before = _worked_s(pid)
        time.sleep(CALM_S)
        if _worked_s(pid) - before < CALM_S / 10:
            return


def _worked_s(pid: int) -> float:
    """Seconds of processor that a process has used."""
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def _figure(past: Past, cost: Cost) -> Figure:
    name = f"{past.told}: {cost.where}"
    beside = f"first {millis(cost.first_s)}, {cost.rows:,} rows, load {cost.load:.1f}"
    if not past.is_aimed:
        return Figure(name, millis(cost.usual_s), beside)
    return Figure(name, millis(cost.usual_s), beside, cost.usual_s / AIM_S, f"≤ {millis(AIM_S)}", cost.usual_s <= AIM_S)


# ---- asking ----------------------------------------------------------------------------------------------------------


def _costs(engine: InfluxDB) -> list[Cost]:
    board = json.loads(WALL.read_text("utf-8"))
    return [_cost(engine, asked, board["time"]["from"]) for asked in rules.queries(board)]


def _cost(engine: InfluxDB, asked: rules.Asked, usual_span: str) -> Cost:
    begin_ms, end_ms = _window(asked.span or usual_span)
    chosen: dict[str, Choice] = {"estate": "$__all", "device": "$__all"}
    step = max(MINUTE_S, (end_ms - begin_ms) // 1000 // WIDTH // MINUTE_S * MINUTE_S)
    query = influxql.expand(asked.query, begin_ms, end_ms, interval_s=step, chosen=chosen)
    taken, rows = [], 0
    for _ in range(REPEATS + 1):
        began = time.perf_counter()
        rows = len(engine.query(asked.bucket, query))
        taken.append(time.perf_counter() - began)
    return Cost(asked.where.removesuffix(" A"), taken[0], median(taken[1:]), rows, os.getloadavg()[0])


def _window(span: str) -> tuple[int, int]:
    """`now/d`, `now-6h` or `6h`, in ms."""
    end_ms = round(NOW.timestamp() * 1000)
    match = re.fullmatch(r"(?:now-)?(\d+)([mhd])", span)
    length_s = int(match[1]) * _SPANS[match[2]] if match else DAY_S - 10 * MINUTE_S
    return end_ms - length_s * 1000, end_ms


# ---- writing ---------------------------------------------------------------------------------------------------------


def _everything(past: Past) -> Iterator[tuple[Bucket, Iterator[Rows]]]:
    """The rows of every series that ingest writes once a minute or rolls up, and a row a minute of the flags."""
    places = [{"estate": f"E{number:02}"} for number in range(ESTATES)]
    machines = [
        {"device": f"E{number % ESTATES:02}-{number // ESTATES:03}", **places[number % ESTATES]}
        for number in range(past.machines)
    ]
    kinds = ("DEVICE_OFFLINE", "UNIT_NO_TAPS", "CARD_CLONED")
    hours = [{**place, "hour": f"{hour:02}"} for place in places for hour in range(24)]
    flags = [{**place, "kind": kind} for place in places for kind in kinds]
    for measurement, tags, step_s, days in (
        (series.MACHINE, machines, MINUTE_S, past.minutes),
        (series.FLEET, places, MINUTE_S, past.minutes),
        (series.FLAG, flags, MINUTE_S, min(past.minutes, 7)),
        (series.TAP_15M, machines, QUARTER_S, past.quarters),
        (series.MACHINE_EVENT, machines, DAY_S, past.rollups),
        (series.MACHINE_DAY, machines, DAY_S, past.rollups),
        (series.ATTENDANCE_DAY, places, DAY_S, past.rollups),
        (series.ESTATE_EVENT, [{**place, "kind": "outage"} for place in places], 30 * DAY_S, past.rollups),
        (series.TAP_HOUR, hours, DAY_S, past.rollups),
    ):
        yield measurement.bucket, _rows(measurement, tags, step_s=step_s, days=days)


def _rows(measurement: Measurement, tags: Sequence[Mapping[str, str]], *, step_s: int, days: int) -> Iterator[Rows]:
    """Step by step in order of time, for all *tags* at once; 60 different steps, over and over."""
    dice = random.Random(measurement.name)
    heads = [[_head(measurement, each, dice) for each in tags] for _ in range(60 if step_s == MINUTE_S else 7)]
    end_s = round(NOW.timestamp()) // step_s * step_s
    for number, at_s in enumerate(range(end_s - days * DAY_S, end_s + 1, step_s)):
        tail = f"{at_s}000000000\n"
        yield Rows(len(tags), tail.join([*heads[number % len(heads)], ""]))


def _head(measurement: Measurement, tags: Mapping[str, str], dice: random.Random) -> str:
    values: dict[str, Any] = {}  # Any: as the field's type
    for each in measurement.fields:
        match each.type:
            case Type.TEXT:
                values[each.name] = "offline" if each.name == "kind" else "0.1.0"
            case Type.FLOAT:
                values[each.name] = round(dice.uniform(0, 100), 2)
            case Type.INT:
                values[each.name] = dice.randrange(20) if each.name != "online" else int(dice.random() < 0.95)
    return measurement.point(0, tags, values).line().removesuffix("0")


def _pour(engine: InfluxDB, bucket: Bucket, steps: Iterator[Rows]) -> int:
    """Write them all, as the ingester would; how many."""
    address = f"{engine.url}/api/v2/write?org={engine.org}&bucket={bucket}&precision=ns"
    written = 0
    for part in _parts(steps):
        body = "".join(each.lines for each in part).encode()
        request = urllib.request.Request(address, body, {"Authorization": f"Token {engine.token}"})
        with urllib.request.urlopen(request, timeout=300):
            written += sum(each.number for each in part)
    return written


def _parts(steps: Iterator[Rows]) -> Iterator[list[Rows]]:
    """Steps together, as many as make up a request."""
    part: list[Rows] = []
    for step in steps:
        part.append(step)
        if len(part) * step.number >= LINES:
            yield part
            part = []
    if part:
        yield part


# ---- keeping ---------------------------------------------------------------------------------------------------------


@click.command()
@click.option("--quick", is_flag=True, help="Two days at 32 machines: whether it works, not how fast.")
@click.option("--city-days", default=CITY.minutes, show_default=True, help="Days of minute rows at 3,200 machines.")
@click.option("--write", is_flag=True, help="Keep the table in docs/bench/panels.md.")
def main(quick: bool, city_days: int, write: bool) -> None:
    """Measure what the wall's queries cost."""
    found = measure(*chosen(quick)) if quick else measure(YEAR, replace(CITY, minutes=city_days, quarters=city_days))
    text = figures.markdown(found)
    click.echo(text)
    if write:
        PAGE.write_text(_page(text), "utf-8")


def _page(table: str) -> str:
    day = datetime.now(UTC).date().isoformat()
    return f"# What the wall costs\n\n`python -m bench.panels`, {day}, on {figures.machine()}.\n\n{table}\n{LIMITS}"


if __name__ == "__main__":
    main()
