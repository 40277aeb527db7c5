"""The whole catalogue is walked: what it says of itself holds, and nothing else can be written."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import series
from contract.points import Field, Type
from contract.series import SERIES, BadPoint, Bucket, Measurement

TAG_VALUES = {
    "device": "DMG-01",
    "estate": "DMG",
    "hour": "07",
    "instance": "ingest-1",
    "kind": "outage",
    "stage": "mqtt",
}
VALUES = {
    Type.INT: st.integers(-(2**63), 2**63 - 1),
    Type.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Type.TEXT: st.sampled_from(["Mesin luring", "0.1.0+dev", "a", "99,5 % (Mei): ya"]),
}
PERSONAL = re.compile(r"person|name|nama|nik|card|kartu|uid|pseudonym|resident|penghuni|phone", re.IGNORECASE)
A_UNIT = re.compile(r"unit(?!s)")

RESERVED = set(
    re.findall(
        r"\w+",
        """
        all alter any as asc begin by create continuous database databases default delete desc destinations diagnostics
        distinct drop duration end every explain field for from grant grants group groups in inf insert into key keys
        kill limit measurement measurements name offset on order password policy policies privileges queries query read
        replication resample retention revoke select series set shard shards show slimit soffset stats subscription
        subscriptions tag to user users values where with write
        """,
    )
)

every = pytest.mark.parametrize("measurement", SERIES.values(), ids=SERIES.keys())


def sample(measurement: Measurement) -> dict[str, int | float | str]:
    values: dict[Type, int | float | str] = {Type.INT: 1, Type.FLOAT: 1.5, Type.TEXT: "offline"}
    return {each.name: values[each.type] for each in measurement.fields}


def tags(measurement: Measurement) -> dict[str, str]:
    return {name: TAG_VALUES[name] for name in measurement.tags}


@every
def test_a_name_is_a_tag_or_a_field_never_both_and_never_time(measurement: Measurement) -> None:
    names = [*measurement.tags, *(each.name for each in measurement.fields)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) and name != "time" for name in names)


@every
def test_no_name_is_a_word_of_the_query_language(measurement: Measurement) -> None:
    names = {measurement.name, *measurement.tags, *(each.name for each in measurement.fields)}
    assert not names & RESERVED, "a query would have to quote it"


@every
def test_nothing_names_a_person_a_card_or_a_unit(measurement: Measurement) -> None:
    for name in [measurement.name, *measurement.tags, *(each.name for each in measurement.fields)]:
        assert not PERSONAL.search(name) or name == "uncounted_no_card"  # a count of units
        assert not A_UNIT.search(name) or name.endswith("_unit_days")


@every
def test_everything_is_explained(measurement: Measurement) -> None:
    assert measurement.meaning
    assert all(each.meaning for each in measurement.fields)


@every
def test_numbers_carry_the_type_of_how_they_come_about(measurement: Measurement) -> None:
    for each in measurement.fields:
        measured = re.search(r"_min$|_pct$|^minutes_|_p50_|_p95_|_max_|^l(at|on)$|^expected$", each.name)
        assert each.type is Type.TEXT or (each.type is Type.FLOAT) == bool(measured), each.name


@every
def test_a_complete_point_is_a_line_that_reads_back(measurement: Measurement) -> None:
    point = measurement.point(1_700_000_000_123_000_007, tags(measurement), sample(measurement))
    assert series.read(point.line()) == point


@every
@given(data=st.data())
def test_read_undoes_line(measurement: Measurement, data: st.DataObject) -> None:
    fields = {each.name: data.draw(VALUES[each.type]) for each in measurement.fields}
    point = measurement.point(data.draw(st.integers(0, series.MAX_TIME_NS)), tags(measurement), fields)
    assert series.read(point.line()) == point


@every
def test_no_field_may_be_missing_unless_it_says_so(measurement: Measurement) -> None:
    for each in measurement.fields:
        fields = {name: value for name, value in sample(measurement).items() if name != each.name}
        if each.optional:
            assert each.name not in measurement.point(0, tags(measurement), fields).line()
        else:
            with pytest.raises(BadPoint, match=f"lacks {each.name}"):
                measurement.point(0, tags(measurement), fields)


@every
def test_the_tags_are_exactly_the_declared_ones(measurement: Measurement) -> None:
    with pytest.raises(BadPoint, match="exactly the tags"):
        measurement.point(0, {**tags(measurement), "unit": "DMG"}, sample(measurement))
    for name in measurement.tags:
        rest = {tag: value for tag, value in tags(measurement).items() if tag != name}
        with pytest.raises(BadPoint, match="exactly the tags"):
            measurement.point(0, rest, sample(measurement))


@every
def test_fields_nobody_declared_are_refused(measurement: Measurement) -> None:
    with pytest.raises(BadPoint, match="no field extra"):
        measurement.point(0, tags(measurement), {**sample(measurement), "extra": 1})


@pytest.mark.parametrize("name", TAG_VALUES)
@pytest.mark.parametrize("value", ["", " ", "DMG/B/03/12", "a b", "a,b", "a=b", "a\\", "Ä", "a\n", "x" * 41])
def test_a_tag_takes_slugs_only(name: str, value: str) -> None:
    measurement = next(each for each in SERIES.values() if name in each.tags)
    with pytest.raises(BadPoint, match=f"the tag {name}"):
        measurement.point(0, {**tags(measurement), name: value}, sample(measurement))


@pytest.mark.parametrize("uid", ["a04b1c2d", "04a1b2c3", "04A1B2C3D4E5F6", "04A1B2C3D4E5F6A7B8C9", "0" * 64])
def test_what_looks_like_a_card_fits_nowhere(uid: str) -> None:
    event, flag = series.ESTATE_EVENT, series.FLAG
    with pytest.raises(BadPoint):
        event.point(0, tags(event), {**sample(event), "text": f"kartu {uid} ditolak"})
    with pytest.raises(BadPoint):
        flag.point(0, {**tags(flag), "kind": uid}, sample(flag))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Type.INT, 1.0),
        (Type.INT, True),
        (Type.INT, 2**63),
        (Type.INT, "1"),
        (Type.FLOAT, float("nan")),
        (Type.FLOAT, float("inf")),
        (Type.FLOAT, True),
        (Type.FLOAT, 10**400),
        (Type.FLOAT, "1"),
        (Type.TEXT, ""),
        (Type.TEXT, 'a"b'),
        (Type.TEXT, "a\\"),
        (Type.TEXT, "a\n"),
        (Type.TEXT, "DMG/B/03/12"),
        (Type.TEXT, "x" * 121),
        (Type.TEXT, 1),
    ],
)
def test_a_field_takes_its_own_type_only(kind: Type, value: object) -> None:
    with pytest.raises(BadPoint, match=r"m\.f cannot take"):
        Field("f", kind, "a field").accept(value, "m")


def test_a_whole_number_given_for_a_measure_is_written_as_a_float() -> None:
    point = series.MACHINE.point(0, tags(series.MACHINE), {**sample(series.MACHINE), "disk_free_pct": 50})
    assert "disk_free_pct=50.0," in point.line()


@pytest.mark.parametrize("time_ns", [-1, series.MAX_TIME_NS + 1, 1.5, True])
def test_a_time_outside_what_influxdb_holds_is_refused(time_ns: int) -> None:
    with pytest.raises(BadPoint, match="time"):
        series.TAP.point(time_ns, {"device": "DMG-01"}, sample(series.TAP))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "tap",
        "unheard,device=DMG-01 known=1i 5",
        "tap known=1i,unknown=0i,seq=1i,lag=1i 5",
        "tap,device=DMG-01 known=1i,unknown=0i,seq=1i,lag=1i",
        "tap,device=DMG-01 known=1i,unknown=0i,seq=1i,lag=1 5",
        "tap,device=DMG-01 known=1i,unknown=0i,seq=1i,lag=.-e 5",
        "tap,device=DMG-01 known=1i,,unknown=0i,seq=1i,lag=1i 5",
        'tap,device=DMG-01 known="1i,unknown=0i,seq=1i,lag=1i 5',
        "tap,device=DMG-01 known=1i,unknown=0i,seq=1i,lag=1i 99999999999999999999",
    ],
)
def test_a_line_that_is_no_point_of_ours_is_refused(line: str) -> None:
    with pytest.raises(BadPoint):
        series.read(line)


def test_a_measurement_that_would_break_the_rules_cannot_be_declared() -> None:
    known = Field("known", Type.INT, "a count")
    for wrong_tags, wrong_fields in [
        (("device",), (known, known)),
        (("device",), (Field("device", Type.INT, "a count"),)),
        (("device",), (Field("time", Type.INT, "a count"),)),
        (("device",), ()),
        (("unit",), (known,)),
        (("estate", "device"), (known,)),
    ]:
        with pytest.raises(ValueError, match=r"^x: "):
            Measurement("x", Bucket.OPS, wrong_tags, wrong_fields, "a test")


def test_buckets_keep_what_the_design_says() -> None:
    keeps = {bucket.value: bucket.keeps for bucket in Bucket}
    assert keeps == {"taps": timedelta(days=90), "ops": timedelta(days=400), "aggregate": timedelta(days=1827)}


def test_single_taps_are_in_no_bucket_a_dashboard_reads() -> None:
    assert [each.name for each in SERIES.values() if each.bucket is Bucket.TAPS] == ["tap"]


def test_what_officials_read_is_no_finer_than_an_hour_of_an_estate_or_a_day_of_a_machine() -> None:
    assert {each.name for each in SERIES.values() if each.bucket is Bucket.AGGREGATE} == {
        "tap_hour",
        "attendance_day",
        "attendance_month",
        "machine_day",
        "estate_event",
    }
