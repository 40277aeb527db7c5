"""From a topic and its bytes to what the ingester works with, or a dead letter with its reason. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from cloud.ingest.requests import Incoming
from cloud.records.heard import Beat
from cloud.records.verdicts import Letter
from contract import codec, topics
from contract.codec import BadMessage
from contract.messages import Heartbeat, Status
from contract.topics import BadTopic, Kind


@dataclass(frozen=True, slots=True)
class Said:
    """A birth, goodbye or will, and whether the broker had it in store."""

    status: Status
    arrived_ms: int
    is_retained: bool


Read = Incoming | Beat | Said | Letter


def read(topic: str, payload: bytes, *, arrived_ms: int, is_retained: bool) -> Read:
    """Whatever it is, it is one of these."""
    try:
        return _read(topics.parse(topic), payload, arrived_ms, is_retained)
    except BadTopic as error:
        return letter(topic, payload, reason="bad_topic", explanation=str(error), arrived_ms=arrived_ms)
    except BadMessage as error:
        return letter(topic, payload, reason=error.reason, explanation=str(error), arrived_ms=arrived_ms)


def letter(topic: str, payload: bytes, *, reason: str, explanation: str, arrived_ms: int) -> Letter:
    """A dead letter for a whole message."""
    return Letter(arrived_ms, "mqtt", topic, reason, explanation, payload)


def _read(topic: topics.Topic, payload: bytes, arrived_ms: int, is_retained: bool) -> Read:
    match topic.kind:
        case Kind.RECORDS:
            return Incoming(topic.device, codec.decode_batch(payload, device=topic.device), arrived_ms)
        case Kind.HEARTBEAT:
            beat = codec.decode(payload, Heartbeat, device=topic.device)
            return Beat(beat, payload.decode(), arrived_ms)
        case Kind.STATUS:
            return Said(codec.decode(payload, Status, device=topic.device), arrived_ms, is_retained)
        case _:
            raise BadMessage("not_for_us", "a message of this kind is not for the ingester")
