"""Which files are generated, and their content."""

from __future__ import annotations

from grafana import alerts, boards, render, sdk


def generated() -> dict[str, str]:
    """Content by path inside this package."""
    dashboards = {f"dashboards/{board.uid}.json": sdk.dumps(render.board(board)) for board in boards.BOARDS}
    return dashboards | {"provisioning/alerting/hadir.json": alerts.provisioning()}
