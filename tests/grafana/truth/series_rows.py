"""All rows of a series in the engine, held against those that must be there."""

from typing import Any

import pytest
from synthetic_city import City, Row

from contract.series import SERIES

BESIDE_TAGS = {"tap": "seq", "machine_event": "kind"}
"""What tells apart two rows of one machine that begin in the same millisecond."""


def same_rows(engine: Any, city: City, series: str) -> None:
    """The same rows, no more and no fewer, with the same fields."""
    measurement = SERIES[series]
    rows = engine.query(measurement.bucket, f"SELECT * FROM {series}")
    found = _by_key(series, [row | {"time": row["time"] // 10**6} for row in rows])
    expected = _by_key(series, city.rows[series])
    assert len(found) == len(rows)
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert found[key] == {name: near(value) for name, value in row.items()}, key


def near(value: Any) -> Any:
    """A measured value may differ by the rounding of another order of adding."""
    return pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value


def _by_key(series: str, rows: list[Row]) -> dict[Any, Row]:
    measurement = SERIES[series]
    also = BESIDE_TAGS.get(series, measurement.tags[0])
    fields = [each.name for each in measurement.fields]
    return {
        (row["time"], *(row[tag] for tag in measurement.tags), row[also]): {
            name: row[name] for name in fields if row.get(name) is not None
        }
        for row in rows
    }
