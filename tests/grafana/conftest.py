"""The committed dashboards, as Grafana would read them."""

import json
from pathlib import Path
from typing import Any

import pytest

import grafana

DASHBOARDS = Path(grafana.__file__).parent / "dashboards"


@pytest.fixture
def dashboards() -> list[dict[str, Any]]:
    """All six, fresh, free to be spoilt."""
    return [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]
