"""Every topic is built, subscribed to and read back; nothing invalid can be held."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import topics
from contract.topics import BadTopic, DeviceId, Kind, Topic

device_ids = st.from_regex(r"[A-Z][A-Z0-9]{1,7}-[0-9]{2,4}", fullmatch=True)
BUILDERS = {kind: getattr(topics, kind) for kind in Kind}


@given(device_ids, st.sampled_from(Kind))
def test_what_is_built_is_read_back(device: str, kind: Kind) -> None:
    topic = BUILDERS[kind](DeviceId(device))
    assert topics.parse(str(topic)) == topic == Topic(DeviceId(device), kind)


def test_the_text_is_what_machines_in_the_field_use() -> None:
    assert [str(BUILDERS[kind](DeviceId("DMG-01"))) for kind in Kind] == [
        "hadir/v1/DMG-01/records",
        "hadir/v1/DMG-01/heartbeat",
        "hadir/v1/DMG-01/status",
        "hadir/v1/DMG-01/applied",
        "hadir/v1/DMG-01/stored",
        "hadir/v1/DMG-01/resume",
        "hadir/v1/DMG-01/desired",
    ]


def test_every_kind_goes_up_or_down_and_never_both() -> None:
    assert sorted((*topics.UP, *topics.DOWN)) == sorted(Kind)


def test_the_canarys_topic_is_no_machines() -> None:
    assert str(topics.CANARY) == "hadir/v1/canary"
    assert topics.is_canary("hadir/v1/canary") and not topics.is_canary("hadir/v1/DMG-01/status")
    with pytest.raises(BadTopic):
        topics.parse(str(topics.CANARY))


def test_filters_name_all_devices() -> None:
    assert topics.every(Kind.STATUS) == "hadir/v1/+/status"
    assert topics.shared(Kind.RECORDS, "ingest") == "$share/ingest/hadir/v1/+/records"


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.STORED, Kind.APPLIED])
def test_what_everybody_must_see_cannot_be_shared(kind: Kind) -> None:
    with pytest.raises(BadTopic, match="cannot be shared"):
        topics.shared(kind, "ingest")


@pytest.mark.parametrize("group", ["", "a/b", "in gest", "+", "Ingest"])
def test_a_group_name_cannot_smuggle_levels_or_wildcards(group: str) -> None:
    with pytest.raises(BadTopic, match="group"):
        topics.shared(Kind.RECORDS, group)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hadir/v1",
        "hadir/v1/",
        "hadir/v1/DMG-01",
        "hadir/v1/DMG-01/",
        "hadir/v1/DMG-01/taps",
        "hadir/v1/DMG-01/records/more",
        "hadir/v1/+/records",
        "hadir/v1/#",
        "hadir/v2/DMG-01/records",
        "/hadir/v1/DMG-01/records",
        "x/hadir/v1/DMG-01/records",
        "hadir/v1/hadir/v1/DMG-01/records",
        "hadir/v1/dmg-01/records",
        "hadir/v1/DMG-01\0/records",
        "$SYS/broker/uptime",
    ],
)
def test_other_topics_are_refused(text: str) -> None:
    with pytest.raises(BadTopic):
        topics.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_topic_or_refused_as_one(text: str) -> None:
    with contextlib.suppress(BadTopic):
        assert str(topics.parse(text)) == text


@pytest.mark.parametrize("text", ["", "DMG", "DMG-1", "dmg-01", "DMG-01/", "D-01", "DMG-01\n", "+", "#", "DMG-12345"])
def test_a_bad_device_id_cannot_be_held(text: str) -> None:
    with pytest.raises(BadTopic, match="no device id"):
        DeviceId(text)
