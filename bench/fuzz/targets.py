"""What is fuzzed: each target's law, where the fuzzer begins, the length of its inputs, and its share of them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.fuzz import ends, files, recorded, wire

FOUND: Final = Path(__file__).parents[2] / "tests" / "samples" / "fuzz"
"""Inputs that once broke something, a folder per target: the fuzzer begins with them too, and tests run them."""


@dataclass(frozen=True, slots=True)
class Target:
    """*check* raises whatever it likes when a law is broken; `parts` of all inputs go to it, in 1/1000."""

    name: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    parts: int
    longest: int = 2048

    def beginnings(self) -> list[bytes]:
        """The seeds, and what was found before."""
        found = sorted((FOUND / self.name).glob("*")) if (FOUND / self.name).is_dir() else []
        return [*self.seeds(), *(path.read_bytes() for path in found)]


_ALL: Final = (
    Target("batch", wire.batch, wire.batch_seeds, parts=120, longest=4096),
    Target("bent-batch", wire.bent_batch, wire.bent_seeds, parts=60, longest=64),
    Target("record", wire.record, wire.record_seeds, parts=120, longest=1024),
    Target("message", wire.message, wire.message_seeds, parts=120),
    Target("bent-message", wire.bent_message, wire.bent_seeds, parts=100, longest=64),
    Target("card", wire.card, wire.card_seeds, parts=95, longest=256),
    Target("sealing", wire.sealing, wire.bent_seeds, parts=45, longest=32),
    Target("topic", wire.topic, wire.topic_seeds, parts=60, longest=64),
    Target("registry", files.registry, files.registry_seeds, parts=60, longest=1024),
    Target("registry-folder", files.registry_folder, wire.bent_seeds, parts=30, longest=128),
    Target("journal", files.journal, files.journal_seeds, parts=45, longest=1024),
    Target("journal-line", files.line, files.line_seeds, parts=70, longest=512),
    Target("replay-line", recorded.line, recorded.line_seeds, parts=30, longest=1024),
    Target("replay-sheet", recorded.sheet, recorded.sheet_seeds, parts=10, longest=1024),
    Target("wreck", files.wreck, files.wreck_seeds, parts=7, longest=64),
    Target("answer", ends.answer, ends.end_seeds, parts=25, longest=64),
    Target("ingest", ends.ingest, ends.end_seeds, parts=3, longest=96),
)
TARGETS: Final[Mapping[str, Target]] = MappingProxyType({target.name: target for target in _ALL})


def shares(inputs: int) -> dict[str, int]:
    """How many of *inputs* each target gets; together exactly so many."""
    counts = {target.name: inputs * target.parts // 1000 for target in _ALL}
    counts["topic"] += inputs - sum(counts.values())
    return counts
