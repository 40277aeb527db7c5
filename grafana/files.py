"""Which files are generated, and their content."""

from __future__ import annotations

from grafana import boards, render, sdk


def generated() -> dict[str, str]:
    """Content by path inside this package."""
    return {f"dashboards/{board.uid}.json": sdk.dumps(render.board(board)) for board in boards.BOARDS}
