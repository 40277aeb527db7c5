"""The six dashboards, one a file; each answers one question. Plain descriptions, in the words of their readers."""

from typing import Final

from grafana.boards import attendance, estate, fleet, machine, pipeline, sla
from grafana.specs import Board

BOARDS: Final[tuple[Board, ...]] = (
    fleet.BOARD,
    estate.BOARD,
    machine.BOARD,
    attendance.BOARD,
    pipeline.BOARD,
    sla.BOARD,
)
"""From the wall to the paper."""
