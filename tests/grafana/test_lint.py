"""Each rule of the query language, broken once; and queries that must pass."""

import pytest

from contract import series
from contract.series import Bucket
from grafana import lint, queries
from grafana.queries import RuleBroken

T = "$timeFilter"
INNER = f"SELECT last(online) AS l FROM machine WHERE {T} GROUP BY device"

BROKEN = [
    ("flux", 'from(bucket: "ops") |> range(start: -1h)', "Flux"),
    ("no series", f"SELECT sum(n) FROM taps_today WHERE {T}", "no series taps_today"),
    ("single taps", f"SELECT sum(known) FROM tap WHERE {T}", "lies in the bucket taps"),
    ("other bucket", f"SELECT sum(n) FROM tap_hour WHERE {T}", "lies in the bucket aggregate"),
    ("no field", f"SELECT last(onlin) FROM machine WHERE {T}", "no field or tag onlin"),
    ("no tag", f"SELECT last(online) FROM machine WHERE {T} GROUP BY rusun", "grouping by rusun"),
    ("group by a field", f"SELECT last(online) FROM machine WHERE {T} GROUP BY version", "grouping by version"),
    ("no condition", f"SELECT last(online) FROM machine WHERE {T} AND rusun = 'DMG'", "there is no rusun"),
    ("no time filter", "SELECT last(online) FROM machine WHERE estate = 'DMG'", "every level"),
    ("no time filter outside", f"SELECT sum(l) FROM ({INNER})", "every level"),
    ("no time filter inside", f"SELECT sum(l) FROM ({INNER.replace(T, 'online = 1')}) WHERE {T}", "every level"),
    ("now", f"SELECT last(online) FROM machine WHERE {T} AND time > now()", "now()"),
    ("int factor", f"SELECT 100 * sum(online) / sum(heard) FROM machine WHERE {T}", "begins with a float"),
    ("no factor", f"SELECT sum(online) / sum(heard) FROM machine WHERE {T}", "begins with a float"),
    ("factor behind", f"SELECT sum(online) / sum(heard) * 100.0 FROM machine WHERE {T}", "begins with a float"),
    ("int term", f"SELECT 1.0 * sum(online) + 1 FROM machine WHERE {T}", "a factor is a float"),
    ("plain day", f"SELECT sum(known) FROM tap_15m WHERE {T} GROUP BY time(1d)", "time(1d, -7h)"),
    ("other day", f"SELECT sum(known) FROM tap_15m WHERE {T} GROUP BY time(1d, 7h)", "time(1d, -7h)"),
    ("plain week", f"SELECT sum(known) FROM tap_15m WHERE {T} GROUP BY time(1w)", "time(1w, 3d17h)"),
    ("odd step", f"SELECT sum(known) FROM tap_15m WHERE {T} GROUP BY time(7m)", "time() takes"),
    ("quoted variable", f"SELECT last(online) FROM machine WHERE {T} AND device = '${{device}}'", "must be spelled"),
    ("bare variable", f"SELECT last(online) FROM machine WHERE {T} AND device =~ /^$device$/", "must be spelled"),
    ("no anchor", f"SELECT last(online) FROM machine WHERE {T} AND device =~ /${{device:regex}}/", "must be spelled"),
    ("negated", f"SELECT last(online) FROM machine WHERE {T} AND device !~ /^${{device:regex}}$/", "must be spelled"),
    ("all", f"SELECT last(online) FROM machine WHERE {T} AND device =~ /.*/", "must be spelled"),
    ("macro column", f"SELECT $x FROM machine WHERE {T}", "only stand in a condition"),
    ("quoted value", f'SELECT last(online) FROM machine WHERE {T} AND device = "DMG-01"', "single quotes"),
    ("function", f"SELECT derivative(online) FROM machine WHERE {T}", "function derivative"),
    ("zone", f"SELECT last(online) FROM machine WHERE {T} TZ('Asia/Jakarta')", "does not run everywhere"),
    ("series limit", f"SELECT last(online) FROM machine WHERE {T} SLIMIT 3", "does not run everywhere"),
    ("one name twice", f"SELECT last(online) AS a, last(heard) AS a FROM machine WHERE {T}", "one name"),
    ("two sources", f"SELECT last(online) FROM machine, fleet WHERE {T}", "one measurement"),
    ("parenthesis", f"SELECT last(online FROM machine WHERE {T}", "parenthes"),
    ("nonsense", "SELECT ยง", "cannot be read"),
    ("no select", "FROM machine", "no SELECT"),
    ("no clause", "machine", "begin with a clause"),
    ("group without by", f"SELECT last(online) FROM machine WHERE {T} GROUP device", "without BY"),
    ("quotes inside", f'SELECT sum(l) FROM (SELECT last(online) AS "l" FROM machine WHERE {T}) WHERE {T}', "quotes"),
    ("drop", "DROP SERIES FROM machine", "begin with a clause"),
    ("show measurements", "SHOW MEASUREMENTS", "a variable asks"),
    ("tag values of nothing", 'SHOW TAG VALUES FROM nothing WITH KEY = "estate"', "a variable asks"),
    ("no such key", 'SHOW TAG VALUES FROM machine WITH KEY = "rusun"', "no tag rusun"),
    (
        "no such key chosen",
        'SHOW TAG VALUES FROM machine WITH KEY = "device" WHERE hour =~ /^${x:regex}$/',
        "no tag hour",
    ),
    ("elsewhere", 'SHOW TAG VALUES FROM tap_hour WITH KEY = "estate"', "lies in the bucket"),
]

FINE = [
    f'SELECT sum(l) AS "Daring" FROM ({INNER}) WHERE {T}',
    f"SELECT 100.0 * (sum(known) + sum(unknown)) / sum(expected) FROM tap_15m WHERE {T} GROUP BY time(15m) fill(none)",
    f"SELECT text, estate FROM machine_event WHERE {T} AND kind = 'offline' ORDER BY time DESC LIMIT 5",
    f"SELECT last(online) FROM machine WHERE {T} AND device =~ /^${{device:regex}}$/ GROUP BY time($__interval)",
    'SHOW TAG VALUES FROM machine WITH KEY = "device" WHERE estate =~ /^${estate:regex}$/',
]


def said(query: str, bucket: Bucket = Bucket.OPS) -> str:
    try:
        return "; ".join(lint.violations(query, bucket))
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(("query", "expected"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_rule_is_said(query: str, expected: str) -> None:
    assert expected in said(query)


@pytest.mark.parametrize("query", FINE)
def test_a_good_query_passes(query: str) -> None:
    assert said(query) == ""


def test_nobody_may_ask_for_single_taps() -> None:
    assert "no dashboard may read the bucket taps" in said(f"SELECT sum(known) FROM tap WHERE {T}", Bucket.TAPS)


def test_the_generator_stops_at_a_broken_rule() -> None:
    with pytest.raises(RuleBroken, match="no field or tag onlin: SELECT"):
        queries.select(series.MACHINE, "last(onlin)")
    with pytest.raises(RuleBroken, match="parenthesis"):
        queries.select(series.MACHINE, "last(online")


def test_variables_are_found_in_every_spelling() -> None:
    assert lint.variables("a =~ /^${estate:regex}$/ $device [[kind]] $timeFilter $__interval") == {
        "estate",
        "device",
        "kind",
    }
