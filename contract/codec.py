"""Bytes to messages and back. Whatever arrives, the answer is a message or `BadMessage`; nothing else is ever raised.

A batch is read in two steps, envelope then records: one unreadable record is named by its seq, never costs its batch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeVar

from pydantic import JsonValue, TypeAdapter, ValidationError

from contract.messages import MAX_SEQ, Canary, Envelope, Message, Record
from contract.topics import DeviceId

MAX_PAYLOAD: Final = 256 * 1024
"""Bytes. Also the broker's packet limit, less its header."""
MAX_RECORDS: Final = 100
"""Records a batch may carry."""
_MAX_DEPTH: Final = 16
"""Lists and objects inside each other; messages need five. Far below what any JSON writer can write again."""
_RECORD: Final[TypeAdapter[Record]] = TypeAdapter(Record)
_M = TypeVar("_M", bound=Message)


class BadMessage(ValueError):
    """A payload that cannot be read. `reason` is a stable word to count by; the text never shows a value."""

    def __init__(self, reason: str, explanation: str) -> None:
        super().__init__(explanation)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Received:
    """A readable record: parsed, and the canonical text it is known by."""

    record: Record
    body: str = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be read. Answered as rejected under its seq; without one, only a dead letter."""

    seq: int | None
    reason: str
    explanation: str
    body: str = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it was read."""

    envelope: Envelope
    records: tuple[Received, ...]
    unreadable: tuple[Unreadable, ...]


def encode(message: Message) -> bytes:
    """The wire form of anything but a batch."""
    return message.model_dump_json(exclude_none=True, by_alias=True).encode()


def encode_batch(envelope: Envelope, bodies: Sequence[str]) -> bytes:
    """A batch of records in their canonical text (`body`)."""
    head = envelope.model_dump_json(exclude_none=True)
    return f'{head[:-1]},"records":[{",".join(bodies)}]}}'.encode()


def body(record: Record) -> str:
    """The canonical text of a record: sorted keys, no spaces, ASCII. The same record gives the same text for ever."""
    return _canonical(record.model_dump(mode="json", by_alias=True))


def digest(text: str) -> str:
    """What a record is known by: 128 bits of BLAKE2b over its canonical text, in hex."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def decode(payload: bytes, model: type[_M], *, device: DeviceId) -> _M:
    """Read *payload* as *model*, sent under the topic of *device*. Raises `BadMessage`."""
    return _message(_json(payload), model, device)


def decode_canary(payload: bytes) -> Canary:
    """Read what was said under the canary's topic. Raises `BadMessage`."""
    return _message(_json(payload), Canary, None)


def decode_batch(payload: bytes, *, device: DeviceId) -> Batch:
    """Read a batch sent under the topic of *device*. Raises `BadMessage` if its envelope cannot be read."""
    raw = _json(payload)
    records = raw.pop("records", None)
    envelope = _message(raw, Envelope, device)
    if not isinstance(records, list):
        raise BadMessage("no_records", "the batch has no list of records")
    if len(records) > MAX_RECORDS:
        raise BadMessage("too_many_records", f"the batch has {len(records)} records; {MAX_RECORDS} are allowed")
    read = [_record(item) for item in records]
    return Batch(
        envelope,
        tuple(item for item in read if isinstance(item, Received)),
        tuple(item for item in read if isinstance(item, Unreadable)),
    )


def decode_record(text: str) -> Received | Unreadable:
    """Read one record from its text, as kept in an outbox, among the held or among the dead letters."""
    try:
        return _record(_json(text.encode(errors="surrogatepass")))
    except BadMessage as bad:
        return Unreadable(None, bad.reason, str(bad), text, digest(ascii(text)))


def _record(item: JsonValue) -> Received | Unreadable:
    text = _canonical(item)
    poison = _poison(item)
    if poison:
        return Unreadable(_seq_of(item), *poison, text, digest(text))
    try:
        return Received(_RECORD.validate_python(item), text, digest(text))
    except ValidationError as error:
        return Unreadable(_seq_of(item), "unreadable", _explain(error), text, digest(text))


def _seq_of(item: JsonValue) -> int | None:
    seq = item.get("seq") if isinstance(item, dict) else None
    return seq if type(seq) is int and 1 <= seq <= MAX_SEQ else None


def _message(raw: dict[str, JsonValue], model: type[_M], device: DeviceId | None) -> _M:
    version = raw.get("v")
    if version != 1 or type(version) is not int:
        raise BadMessage("version", "the message is of a version this program does not know; upgrade it or the machine")
    if device is not None and raw.get("device") != device:
        raise BadMessage("other_device", "the message names another device than its topic")
    poison = _poison(raw)
    if poison:
        raise BadMessage(*poison)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise BadMessage("invalid", _explain(error)) from None


def _json(payload: bytes) -> dict[str, JsonValue]:
    if len(payload) > MAX_PAYLOAD:
        raise BadMessage("too_large", f"the payload has {len(payload)} bytes; {MAX_PAYLOAD} are allowed")
    try:
        raw = json.loads(payload.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise BadMessage("not_utf8", "the payload is not UTF-8") from None
    except RecursionError:
        raise BadMessage("too_deep", "the payload nests too deep to be read") from None
    except BadMessage:
        raise
    except ValueError:  # not JSON, or a number of thousands of digits
        raise BadMessage("not_json", "the payload is not JSON, or holds a number no program can read") from None
    if not isinstance(raw, dict):
        raise BadMessage("not_object", "the payload is not a JSON object")
    _refuse_depth(raw)
    return raw


def _refuse_depth(raw: dict[str, JsonValue]) -> None:
    """What can just be read could not be written again as canonical text."""
    level: list[dict[str, JsonValue] | list[JsonValue]] = [raw]
    for _ in range(_MAX_DEPTH):
        inner = (value.values() if isinstance(value, dict) else value for value in level)
        level = [child for values in inner for child in values if isinstance(child, dict | list)]
        if not level:
            return
    raise BadMessage("too_deep", "the payload nests too deep to be read")


def _refuse_constant(name: str) -> NoReturn:
    raise BadMessage("not_json", f"the payload holds {name}, which is not JSON")


def _poison(item: JsonValue) -> tuple[str, str] | None:
    """What passes JSON but breaks a database: null characters, halves of characters, numbers beyond 64 bits."""
    waiting: list[JsonValue] = [item]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
            waiting.extend(value)
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            if (not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value)) or "\0" in value:
                return "bad_text", "holds a null character or half a character"
        elif isinstance(value, int | float) and not -(2**63) <= value < 2**63:
            return "too_big", "holds a number beyond 64 bits"
    return None


def _canonical(item: JsonValue) -> str:
    return json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _explain(error: ValidationError) -> str:
    """Which fields are wrong and how; never what they held."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'message'}: {fault['msg']}" for fault in found[:5])
