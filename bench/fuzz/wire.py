"""The laws of what crosses the wire: whatever the bytes, a message or the one exception that says why not."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeVar, cast

from bench.fuzz.drawing import Draw, Json, bent
from contract import cards, codec, topics
from contract.cards import Keyring, OpeningKey, SealedCard, SealingKey, UnknownKey, UnreadableCard, UnusableUid
from contract.codec import BadMessage, Received, Unreadable
from contract.messages import Applied, Desired, Heartbeat, Message, Resume, Status, Stored
from contract.topics import BadTopic, DeviceId

DEVICE: Final = DeviceId("DMG-01")
SAMPLES: Final = Path(__file__).parents[2] / "tests" / "samples" / "v1"
KEY: Final = OpeningKey.parse("k1." + "a" * 43)
KEYRING: Final = Keyring({KEY.key_id: KEY})
UID: Final = bytes.fromhex("04a1b2c3d4e5f6")
MODELS: Final[tuple[type[Message], ...]] = (Heartbeat, Status, Stored, Resume, Desired, Applied)
_M = TypeVar("_M", bound=Message)


def sample(name: str) -> dict[str, Json]:
    """A golden message."""
    return cast(dict[str, Json], json.loads((SAMPLES / f"{name}.json").read_bytes()))


def as_payload(message: Json) -> bytes:
    """The bytes of a bent message; half characters and numbers without end stay what they are."""
    return json.dumps(message).encode()


# ---- batches ---------------------------------------------------------------------------------------------------------


def batch(payload: bytes) -> None:
    """A batch is read or refused whole; each record of it stands for itself, and says the same when read again."""
    try:
        read = codec.decode_batch(payload, device=DEVICE)
    except BadMessage as bad:
        _reason(bad)
        return
    for record in read.records:
        _stays(record)
    for unreadable in read.unreadable:
        assert unreadable.seq is None or unreadable.seq >= 1
        assert unreadable.reason and codec.digest(unreadable.body) == unreadable.digest
    again = codec.decode_batch(
        codec.encode_batch(read.envelope, [record.body for record in read.records]), device=DEVICE
    )
    assert again.records == read.records and again.envelope == read.envelope, "a batch reads differently again"


def _stays(received: Received) -> None:
    again = codec.decode_record(received.body)
    assert isinstance(again, Received) and again == received, "a record reads differently from its own text"
    assert codec.digest(received.body) == received.digest
    kept = codec.decode_record(codec.body(received.record))
    assert isinstance(kept, Received) and kept.record == received.record, "a record is not what was written of it"


def bent_batch(data: bytes) -> None:
    """The same for a batch bent in a few places."""
    batch(as_payload(bent(Draw(data), sample("records"))))


def record(data: bytes) -> None:
    """The text of one record, as an outbox, the held or a dead letter keep it: read, or unreadable."""
    read = codec.decode_record(data.decode("utf-8", errors="surrogateescape"))
    if isinstance(read, Received):
        _stays(read)
    else:
        assert isinstance(read, Unreadable) and read.reason


# ---- the other messages ----------------------------------------------------------------------------------------------


def message(data: bytes) -> None:
    """Any other message: the first byte says which."""
    model = MODELS[data[0] % len(MODELS)] if data else MODELS[0]
    _read(data[1:], model)


def bent_message(data: bytes) -> None:
    """The same for a golden message bent in a few places."""
    draw = Draw(data)
    name, model = draw.pick(_GOLDEN)
    _read(as_payload(bent(draw, sample(name))), model)


_GOLDEN: Final[tuple[tuple[str, type[Message]], ...]] = (
    ("heartbeat", Heartbeat), ("status-birth", Status), ("status-will", Status), ("stored", Stored),
    ("resume", Resume), ("desired", Desired), ("applied", Applied),
)  # fmt: skip


def _read(payload: bytes, model: type[_M]) -> None:
    try:
        read = codec.decode(payload, model, device=DEVICE)
    except BadMessage as bad:
        _reason(bad)
        return
    assert codec.decode(codec.encode(read), model, device=DEVICE) == read, "a message reads differently again"
    if isinstance(read, Stored):
        assert read.covered.prefix >= read.upto or not read.upto


def _reason(bad: BadMessage) -> None:
    assert bad.reason.replace("_", "").isalnum() and str(bad), "a refusal without a stable reason"


# ---- cards and topics ------------------------------------------------------------------------------------------------


def card(data: bytes) -> None:
    """A sealed card opens, or one of two exceptions says why not; keys are read or refused."""
    text = data.decode("utf-8", errors="surrogateescape")
    try:
        sealed = SealedCard.parse(text)
        assert SealedCard.parse(str(sealed)) == sealed
        uid = KEYRING.open(sealed, DEVICE)
        assert len(uid) in cards.UID_LENGTHS
    except (UnreadableCard, UnknownKey):
        pass
    for kind in (SealingKey, OpeningKey):
        try:
            kind.parse(text)
        except ValueError as error:
            assert text[3:-1] not in str(error) or len(text) < 30, "a key is shown in what is wrong with it"


def sealing(data: bytes) -> None:
    """What is sealed opens to the same UID at its own machine, and not once a byte of it is changed."""
    draw = Draw(data)
    uid = draw.take(draw.number(12))
    try:
        sealed = KEY.public().seal(uid, DEVICE)
    except UnusableUid:
        assert len(uid) not in cards.UID_LENGTHS or cards.is_random(uid)
        return
    assert KEYRING.open(SealedCard.parse(str(sealed)), DEVICE) == uid
    at, change = draw.number(len(sealed.sealed)), 1 + draw.number(255)
    altered = bytearray(sealed.sealed)
    altered[at] ^= change
    for wrong, device in ((bytes(altered), DEVICE), (sealed.sealed, DeviceId("DMG-02"))):
        try:
            KEYRING.open(SealedCard(sealed.key_id, wrong), device)
        except UnreadableCard:
            continue
        assert at == 31 and change == 0x80 and wrong != sealed.sealed, (
            "an altered seal opens"
        )  # X25519 ignores that bit


def topic(data: bytes) -> None:
    """A topic is read back as it was spelt, or refused."""
    text = data.decode("utf-8", errors="surrogateescape")
    with contextlib.suppress(BadTopic):
        assert str(topics.parse(text)) == text


# ---- where the fuzzer begins -----------------------------------------------------------------------------------------


def batch_seeds() -> Iterator[bytes]:
    """The golden batch."""
    yield (SAMPLES / "records.json").read_bytes()


def record_seeds() -> Iterator[bytes]:
    """Its records."""
    for each in cast(list[Json], sample("records")["records"]):
        yield as_payload(each)


def message_seeds() -> Iterator[bytes]:
    """The golden messages."""
    for name, model in _GOLDEN:
        yield bytes([MODELS.index(model)]) + (SAMPLES / f"{name}.json").read_bytes()


def card_seeds() -> Iterator[bytes]:
    """A card that opens, one for another machine, both halves of the key."""
    for device in (DEVICE, DeviceId("DMG-02")):
        yield str(KEY.public().seal(UID, device)).encode()
    yield str(KEY.public()).encode()
    yield KEY.reveal().encode()


def topic_seeds() -> Iterator[bytes]:
    """One topic of each kind."""
    for kind in topics.Kind:
        yield str(topics.of(DEVICE, kind)).encode()


def bent_seeds() -> Iterator[bytes]:
    """A little of everything."""
    for number in range(24):
        yield bytes((number * 37 + step * 11) % 256 for step in range(24))
