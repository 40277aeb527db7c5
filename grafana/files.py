"""Which files are generated, and their content."""

from __future__ import annotations

import json

from grafana import alerts, boards, drawing, handbook, render, sdk


def generated() -> dict[str, str]:
    """Content by path from the repository's root: dashboards, alert rules, pictures, the page about them."""
    dashboards = {board.uid: sdk.dumps(render.board(board)) for board in boards.BOARDS}
    return {
        **{f"grafana/dashboards/{uid}.json": text for uid, text in dashboards.items()},
        "grafana/provisioning/alerting/hadir.json": alerts.provisioning(),
        **{f"docs/dashboards/{uid}.svg": drawing.svg(json.loads(text)) for uid, text in dashboards.items()},
        "docs/dashboards.md": handbook.text(boards.BOARDS),
    }
