"""Buckets and tokens InfluxDB should have, compared with what it has. Pure.

A token belongs to one reader or writer and opens no more than that one needs; nobody may read single taps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.series import Bucket

MARK: Final = "hadir: "
"""How the description of our tokens begins; others are left alone."""


@dataclass(frozen=True, slots=True)
class Right:
    """To read or write a bucket."""

    action: str
    bucket: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token; the file it is kept in is called influx_NAME. Grafana's file holds the whole header."""

    name: str
    rights: frozenset[Right]
    is_header: bool = False

    @property
    def file(self) -> str:
        """Its secret's name."""
        return f"influx_{self.name}"


def _writes(*buckets: Bucket) -> frozenset[Right]:
    return frozenset(Right("write", bucket.value) for bucket in buckets)


def _reads(bucket: Bucket) -> frozenset[Right]:
    return frozenset({Right("read", bucket.value)})


HOLDERS: Final = (
    Holder("ingest", _writes(Bucket.TAPS, Bucket.OPS, Bucket.AGGREGATE)),
    Holder("alerts", _writes(Bucket.OPS, Bucket.AGGREGATE)),
    Holder("grafana_ops", _reads(Bucket.OPS), is_header=True),
    Holder("grafana_aggregate", _reads(Bucket.AGGREGATE), is_header=True),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is there: its number, and what it opens. Its text can never be read again."""

    number: str
    rights: frozenset[Right]
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """What InfluxDB has (retention in seconds by bucket, our tokens by holder) and which secret files lie there."""

    buckets: Mapping[str, int] = field(default_factory=dict)
    tokens: Mapping[str, tuple[Token, ...]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MakeBucket:
    """A bucket to be made, or (not `is_new`) one that keeps for another time than it should."""

    bucket: Bucket
    is_new: bool

    def sentence(self) -> str:
        """The step as an operator reads it."""
        what = "create the bucket" if self.is_new else "set the retention of the bucket"
        return f"{what} {self.bucket}, kept for {self.bucket.keeps.days} days"


@dataclass(frozen=True, slots=True)
class MakeToken:
    """A token to be made and kept in the holder's file; `replaced` are withdrawn once it lies there."""

    holder: Holder
    replaced: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The step as an operator reads it."""
        rights = ", ".join(sorted(f"{right.action} {right.bucket}" for right in self.holder.rights))
        old = f"; {len(self.replaced)} old one(s) are withdrawn" if self.replaced else ""
        return f"make a token for {self.holder.name} ({rights}) into {self.holder.file}{old}"


Change = MakeBucket | MakeToken


def changes(found: Found) -> Iterator[Change]:
    """The steps to what there should be, buckets first; none when all is there."""
    for bucket in Bucket:
        keeps = round(bucket.keeps.total_seconds())
        if found.buckets.get(bucket.value) != keeps:
            yield MakeBucket(bucket, bucket.value not in found.buckets)
    for holder in HOLDERS:
        present = found.tokens.get(holder.name, ())
        if not _is_served(holder, present, found.files):
            yield MakeToken(holder, tuple(token.number for token in present))


def _is_served(holder: Holder, present: tuple[Token, ...], files: frozenset[str]) -> bool:
    """Exactly one active token with exactly its rights, and a file that should hold it."""
    return holder.file in files and [(token.rights, token.is_active) for token in present] == [(holder.rights, True)]
