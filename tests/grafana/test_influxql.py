"""Grafana's macros are filled in as Grafana does, and queries are taken apart as they are nested."""

import pytest

from grafana import influxql


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [("DMG", "DMG"), ("a.b/c", "a\\.b\\/c"), ("$__all", ".*"), (["A", "B"], "(A|B)"), (["A"], "(A)")],
)
def test_a_choice_becomes_a_regular_expression(chosen: influxql.Choice, expected: str) -> None:
    filled = influxql.expand("x =~ /^${x:regex}$/", 0, 1, interval_s=60, chosen={"x": chosen})
    assert filled == f"x =~ /^{expected}$/"


def test_time_and_step_are_filled_in_on_every_level() -> None:
    query = "SELECT ($timeFilter) $timeFilter time($__interval) $__interval_ms"
    assert influxql.expand(query, 1500, 2500, interval_s=60, chosen={}) == (
        "SELECT (time >= 1500ms and time <= 2500ms) time >= 1500ms and time <= 2500ms time(60s) 60000"
    )


def test_levels_come_outermost_first_and_know_what_is_read_in_the_end() -> None:
    level = influxql.parse("SELECT sum(b) AS c FROM (SELECT last(a) AS b FROM m WHERE x GROUP BY t, u) WHERE y")
    assert [len(each.by) for each in level.levels()] == [0, 2]
    assert level.measurement == "m"
    assert influxql.column_name(level.columns[0]) == "c"


def test_a_column_without_a_name_is_called_by_its_function() -> None:
    (column,) = influxql.parse("SELECT last(a) FROM m").columns
    assert influxql.column_name(column) == "last"
