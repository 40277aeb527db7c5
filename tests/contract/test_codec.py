"""Whatever arrives is a message or a `BadMessage`; one bad record costs only itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import codec
from contract.codec import BadMessage, Received, Unreadable
from contract.messages import MAX_MS, MAX_SEQ, Clock, Envelope, Event, Heartbeat, Hours, Record, Status, Stored, Tap
from contract.ranges import Ranges
from contract.topics import DeviceId

DEVICE = DeviceId("DMG-01")
UUID = "3f0c5a1e-8a55-4b8e-9d5c-0f2f6f3f7a10"
ENVELOPE = Envelope(device=DEVICE, outbox=UUID, confirmed=0)

seqs = st.integers(1, MAX_SEQ)
stamps = st.fixed_dictionaries(
    {
        "seq": seqs,
        "at": st.integers(0, MAX_MS),
        "mono": st.integers(0, MAX_SEQ),
        "boot": st.uuids().map(str),
        "clock": st.sampled_from(Clock),
    }
)
scalars = (
    st.none() | st.booleans() | st.integers(-MAX_SEQ, MAX_SEQ) | st.text(st.characters(codec="ascii", min_codepoint=32))
)
details = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True), scalars, max_size=5)
records: st.SearchStrategy[Record] = st.one_of(
    stamps.map(lambda stamp: Tap(**stamp, card="k1.abc")),
    st.tuples(stamps, st.integers(0, MAX_MS), st.integers(0, 60)).map(
        lambda t: Hours(**t[0], hour=t[1], able_min=t[2])
    ),
    st.tuples(stamps, details).map(lambda t: Event(**t[0], event="reader_fault", detail=t[1])),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def batch_of(*items: object) -> bytes:
    return codec.encode_batch(ENVELOPE, [json.dumps(item) for item in items])


def tap(**changes: object) -> dict[str, object]:
    return {"kind": "tap", "seq": 1, "at": 5, "mono": 5, "boot": UUID, "clock": "trusted", "card": "k1.abc"} | changes


@given(st.lists(records, max_size=5))
def test_records_come_back_as_they_went(sent: list[Record]) -> None:
    bodies = [codec.body(record) for record in sent]
    batch = codec.decode_batch(codec.encode_batch(ENVELOPE, bodies), device=DEVICE)
    assert [received.record for received in batch.records] == sent
    assert [received.body for received in batch.records] == bodies
    assert batch.envelope == ENVELOPE


@given(records)
def test_a_record_is_known_by_one_text_however_it_was_written(record: Record) -> None:
    loose = json.dumps(json.loads(codec.body(record)), indent=1)
    read = codec.decode_record(loose)
    assert isinstance(read, Received)
    assert read.body == codec.body(record)
    assert read.digest == codec.digest(codec.body(record))


@given(st.dictionaries(seqs, st.just("0" * 32), max_size=4), st.lists(seqs, max_size=4))
def test_an_answer_comes_back_as_it_went(digests: dict[int, str], conflicts: list[int]) -> None:
    answer = Stored(device=DEVICE, outbox=UUID, at=1, upto=3, digests=digests, conflicts=Ranges.single(conflicts))
    assert codec.decode(codec.encode(answer), Stored, device=DEVICE) == answer


def test_fields_of_a_newer_release_are_ignored_but_belong_to_the_bytes() -> None:
    read = codec.decode_batch(batch_of(tap(colour="red"), tap()), device=DEVICE).records
    assert read[0].record == read[1].record
    assert read[0].digest != read[1].digest


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    for read in (codec.decode_batch, lambda p, device: codec.decode(p, Status, device=device)):
        with pytest.raises(BadMessage):
            read(payload, device=DEVICE)


@given(json_values)
def test_any_record_is_read_or_named_and_never_costs_its_neighbours(item: object) -> None:
    batch = codec.decode_batch(batch_of(tap(seq=7), json_or_null(item), tap(seq=9)), device=DEVICE)
    assert {7, 9} <= {received.record.seq for received in batch.records}
    assert len(batch.records) + len(batch.unreadable) == 3


def json_or_null(item: object) -> object:
    try:
        json.dumps(item, allow_nan=False)
    except ValueError:
        return None
    return item


POISON = {
    "null character": (tap(card="k1.\0"), "bad_text"),
    "null character in a key": (tap(**{"a\0": 1}), "bad_text"),
    "half a character": (tap(card="k1.\ud800"), "bad_text"),
    "half a character, deep inside": (tap(extra={"a": [{"b": "\udfff"}]}), "bad_text"),
    "2^63": (tap(at=2**63), "too_big"),
    "2^63 in a field nobody knows": (tap(extra=2**63), "too_big"),
    "a negative time": (tap(at=-1), "unreadable"),
    "a time after 2255": (tap(at=MAX_MS + 1), "unreadable"),
    "a fraction of a millisecond": (tap(at=1.5), "unreadable"),
    "a time as text": (tap(at="5"), "unreadable"),
    "a truth as a number": (tap(at=True), "unreadable"),
    "another kind": (tap(kind="door"), "unreadable"),
    "no kind": ({"seq": 1}, "unreadable"),
    "another clock": (tap(clock="sundial"), "unreadable"),
    "a boot that is no uuid": (tap(boot="x"), "unreadable"),
    "minutes beyond the hour": (tap(kind="hours", hour=0, able_min=61), "unreadable"),
    "a detail in depth": (tap(kind="event", event="boot", detail={"a": {"b": 1}}), "unreadable"),
    "a detail too long": (tap(kind="event", event="boot", detail={"a": "x" * 201}), "unreadable"),
    "a detail of many entries": (tap(kind="event", event="boot", detail={f"a{n}": n for n in range(17)}), "unreadable"),
    "dropped without saying what": (tap(kind="event", event="records_dropped", detail={"outbox": UUID}), "unreadable"),
    "dropped backwards": (
        tap(
            kind="event",
            event="records_dropped",
            detail={"outbox": UUID, "from_seq": 9, "to_seq": 7, "from": 1, "to": 2},
        ),
        "unreadable",
    ),
    "closed without a last seq": (tap(kind="event", event="outbox_closed", detail={"outbox": UUID}), "unreadable"),
}


@pytest.mark.parametrize(("item", "reason"), POISON.values(), ids=POISON)
def test_a_poison_record_is_answered_by_its_seq_alone(item: dict[str, object], reason: str) -> None:
    batch = codec.decode_batch(batch_of(item, tap(seq=2)), device=DEVICE)
    assert [(bad.seq, bad.reason) for bad in batch.unreadable] == [(1, reason)]
    assert [received.record.seq for received in batch.records] == [2]


@pytest.mark.parametrize("seq", [0, -1, MAX_SEQ + 1, 2**63, "1", 1.0, True, None])
def test_a_record_without_a_number_is_unreadable_and_cannot_be_answered(seq: object) -> None:
    (bad,) = codec.decode_batch(batch_of(tap(seq=seq)), device=DEVICE).unreadable
    assert bad.seq is None


HEAD = f'"v":1,"device":"DMG-01","outbox":"{UUID}","confirmed":0'
ENVELOPES = {
    "not UTF-8": (b"\xff\xfe", "not_utf8"),
    "not JSON": (b"{", "not_json"),
    "empty": (b"", "not_json"),
    "a list": (b"[]", "not_object"),
    "nested to death": (b"[" * 100_000, "too_deep"),
    "a number of 10,000 digits": (b"1" * 10_000, "not_json"),
    "NaN": (f'{{{HEAD},"records":[NaN]}}'.encode(), "not_json"),
    "too large": (b" " * (codec.MAX_PAYLOAD + 1), "too_large"),
    "no version": (HEAD.replace('"v":1,', "").join("{}").encode(), "version"),
    "another version": (HEAD.replace('"v":1', '"v":2').join("{}").encode(), "version"),
    "version true": (HEAD.replace('"v":1', '"v":true').join("{}").encode(), "version"),
    "another device": (HEAD.replace("DMG-01", "DMG-02").join("{}").encode(), "other_device"),
    "no device": (HEAD.replace('"device":"DMG-01",', "").join("{}").encode(), "other_device"),
    "no records": (HEAD.join("{}").encode(), "no_records"),
    "records that are no list": (f'{{{HEAD},"records":{{}}}}'.encode(), "no_records"),
    "more records than allowed": (f'{{{HEAD},"records":[{",".join(["1"] * 101)}]}}'.encode(), "too_many_records"),
    "an outbox that is no uuid": (HEAD.replace(UUID, "x").join("{}").encode(), "invalid"),
    "a negative position": (f'{{{HEAD[:-1]}-1,"records":[]}}'.encode(), "invalid"),
    "poison in the envelope": (f'{{{HEAD},"x":"\\u0000","records":[]}}'.encode(), "bad_text"),
}


@pytest.mark.parametrize(("payload", "reason"), ENVELOPES.values(), ids=ENVELOPES)
def test_an_envelope_that_cannot_be_read_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(BadMessage) as refusal:
        codec.decode_batch(payload, device=DEVICE)
    assert refusal.value.reason == reason


def test_the_explanation_never_shows_what_was_held() -> None:
    (bad,) = codec.decode_batch(batch_of(tap(at="04A1B2C3D4E5F6", card="k1.secret")), device=DEVICE).unreadable
    assert "04A1" not in bad.explanation
    assert "secret" not in repr(bad)
    with pytest.raises(BadMessage) as refusal:
        codec.decode(b'{"v":1,"device":"DMG-01","online":"04A1B2C3"}', Status, device=DEVICE)
    assert "04A1" not in str(refusal.value)


def test_a_kept_record_that_became_unreadable_is_told_not_raised() -> None:
    assert isinstance(codec.decode_record("{"), Unreadable)
    assert isinstance(codec.decode_record("\ud800"), Unreadable)


@pytest.mark.parametrize(
    "changes",
    [{"disk_free_pct": 101}, {"disk_free_pct": 1e999}, {"session": -1}, {"reader": "tired"}, {"version": "x" * 201}],
)
def test_a_heartbeat_out_of_bounds_is_refused(changes: dict[str, object]) -> None:
    beat = {
        "v": 1, "device": "DMG-01", "at": 1, "boot": UUID, "session": 1, "uptime_s": 1, "outbox": UUID, "last_seq": 0,
        "confirmed": 0, "backlog": 0, "reader": "ok", "clock": "trusted", "disk_free_pct": 50, "version": "1",
    }  # fmt: skip
    assert codec.decode(json.dumps(beat).encode(), Heartbeat, device=DEVICE).session == 1
    with pytest.raises(BadMessage):
        codec.decode(json.dumps(beat | changes).encode(), Heartbeat, device=DEVICE)


@pytest.mark.parametrize(
    "status",
    [
        {"online": True, "reason": "will"},
        {"online": False, "reason": "birth"},
        {"online": True, "reason": "birth"},
        {"online": False, "reason": "goodbye", "boot": UUID},
    ],
)
def test_a_status_that_contradicts_itself_is_refused(status: dict[str, object]) -> None:
    with pytest.raises(BadMessage):
        codec.decode(json.dumps({"v": 1, "device": "DMG-01", "session": 1} | status).encode(), Status, device=DEVICE)


@pytest.mark.parametrize("spans", [[[0, 1]], [[2, 1]], [[1]], [1], "x", [[1, 2, 3]], [[True, 2]], [[1, 2**53]]])
def test_spans_that_are_none_are_refused(spans: object) -> None:
    answer = {"v": 1, "device": "DMG-01", "outbox": UUID, "at": 1, "upto": 0, "beyond": spans}
    with pytest.raises(BadMessage):
        codec.decode(json.dumps(answer).encode(), Stored, device=DEVICE)


@pytest.mark.parametrize("depth", [15, 100, 985, 989, 991, 1100])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_that_can_be_read_but_not_written_again_costs_nobody_his_program(
    depth: int, opening: str, closing: str
) -> None:
    nest = opening * depth + "1" + closing * depth
    text = json.dumps(tap()).replace('"k1.abc"', nest)
    assert isinstance(codec.decode_record(text), Unreadable)
    assert isinstance(codec.decode_record(nest), Unreadable)
