"""Columns, variables and notes that several dashboards have alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from contract import series
from grafana import queries, specs
from grafana.queries import DEVICE, ESTATE
from grafana.specs import Column, Note, Variable

TO_ESTATE: Final = "/d/hadir-rusun?var-estate=${__value.text}&${__url_time_range}"
TO_MACHINE: Final = "/d/hadir-mesin?var-device=${__value.text}&${__url_time_range}"

NO_TIME: Final = Column(field="Time", hidden=True)
WHEN: Final = Column(field="Time", title="Waktu", unit="dateTimeAsSystem")
DAY: Final = Column(field="Time", title="Tanggal", unit="time:DD-MM-YYYY")
ESTATE_COLUMN: Final = Column(field="estate", title="Rusun", unit="string", link=TO_ESTATE)
ESTATE_PLAIN: Final = Column(field="estate", title="Rusun", unit="string")
DEVICE_COLUMN: Final = Column(field="device", title="Mesin", unit="string", link=TO_MACHINE)
DEVICE_PLAIN: Final = Column(field="device", title="Mesin", unit="string")

COMPLETE: Final = specs.falling(80, 95)
"""How complete the record is, in per cent."""
AVAILABLE: Final = specs.falling(95, 99)
"""Availability in per cent."""

ESTATES: Final = Variable("estate", "Rusun", queries.tag_values(series.FLEET, "estate"))
ESTATES_BY_DAY: Final = Variable("estate", "Rusun", queries.tag_values(series.ATTENDANCE_DAY, "estate"))
ONE_ESTATE: Final = replace(ESTATES, several=False)
DEVICES: Final = Variable("device", "Mesin", queries.tag_values(series.MACHINE, "device", where=ESTATE))
ONE_DEVICE: Final = replace(DEVICES, several=False)

_EVENT: Final = ("text", "estate", "kind", "end_ms")
AT_ESTATES: Final = Note(
    "Kejadian rusun",
    queries.select(series.ESTATE_EVENT, *_EVENT, where=[ESTATE]),
    "purple",
)
AT_MACHINES: Final = Note(
    "Mesin luring",
    queries.select(series.MACHINE_EVENT, *_EVENT, where=["kind = 'offline'", ESTATE]),
    "red",
)
AT_MACHINE: Final = Note(
    "Kejadian mesin",
    queries.select(series.MACHINE_EVENT, *_EVENT, where=[DEVICE]),
    "red",
)

PRESENT: Final = queries.percent("sum(present_units)", "sum(obliged_units)")
COMPLETENESS: Final = queries.percent("sum(able_min)", "sum(service_min)")
AVAILABILITY: Final = queries.percent("sum(minutes_online)", "sum(minutes_expected)")
ABLE: Final = queries.percent("sum(minutes_able)", "sum(minutes_expected)")
TAPS: Final = "sum(known) + sum(unknown)"

NOTHING_YET: Final = "belum ada data yang ditulis; pada hari pertama ini wajar."
"""The first day."""
