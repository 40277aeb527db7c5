"""Thresholds: a TOML file with a version, amendments that hold from a day on, and overrides for single estates.

Shares are exact fractions: `0.7` is 7/10. A period is judged by the policy in force on the day it begins.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cloud import days
from cloud.alerts.kinds import Kind


class BadPolicy(ValueError):
    """The policy cannot be used; the message names each key and what is wrong with it."""


def _exact(value: object) -> object:
    return Fraction(str(value)) if isinstance(value, int | float | Fraction) and not isinstance(value, bool) else value


Share = Annotated[Fraction, BeforeValidator(_exact), Field(ge=0, le=1)]
Amount = Annotated[Fraction, BeforeValidator(_exact), Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Some = Annotated[int, Field(ge=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Device(_Table):
    """When a machine is silent, and when it is back."""

    heartbeat_s: Some = 30
    stale_dashboard_min: Some = 3
    offline_min: Some = 15
    technician_min: Some = 60
    recover_heartbeats: Some = 3


class Flap(_Table):
    """When coming and going is a fault of its own."""

    settle_min: Count = 10
    high: Share = Fraction(3, 10)
    low: Share = Fraction(1, 4)
    slots: Some = 20
    slot_min: Some = 15


class Route(_Table):
    """What all machines share: broker, ingest, certificates."""

    canary_s: Some = 30
    ingest_down_min: Some = 5
    wide_share: Share = Fraction(1, 2)
    wide_min_devices: Some = 5
    wide_window_min: Some = 10
    queue_stuck_h: Some = 24
    crl_warn_d: Some = 10
    unknown_device_h: Some = 24


class Clock(_Table):
    """When a machine's clock is wrong."""

    warn_s: Some = 30
    flag_s: Some = 120
    untrusted_s: Some = 900
    future_held_s: Some = 300


class Reader(_Table):
    """When a quiet reader is a dead one."""

    expected_reads: Amount = Fraction(92, 10)


class Storage(_Table):
    """When a machine's disk is filling up, as shares of it that are free."""

    low: Share = Fraction(1, 10)
    critical: Share = Fraction(1, 20)
    clear: Share = Fraction(1, 4)
    forecast_h: Some = 72


class Registration(_Table):
    """When too few are registered."""

    low_share: Share = Fraction(1, 2)
    unit_after_d: Some = 60


class Absence(_Table):
    """The absence clock."""

    period_days: Some = 14
    min_counted_days: Count = 10
    min_counted_share: Share = Fraction(7, 10)
    watch: Some = 2
    open: Some = 3
    remind: Some = 4
    case: Some = 6
    min_able_min: Amount = Fraction(240)
    min_able_cap: Share = Fraction(8, 10)
    min_able_share: Share = Fraction(1, 2)
    tenancy_grace_days: Count = 30
    open_one_card: Some | None = None
    """Used instead of `open` for a unit with exactly one card valid on the last missed period's last day."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.watch <= self.open <= self.remind <= self.case:
            raise ValueError("watch, open, remind and case must not fall")
        return self

    def days(self) -> days.Policy:
        """What decides whether a day counts."""
        return days.Policy(self.min_able_min, self.min_able_cap, self.min_able_share, self.tenancy_grace_days)


class Mass(_Table):
    """When many openings at once are no longer about families."""

    enabled: bool = True
    share: Share = Fraction(2, 100)
    floor: Count = 5
    tap_drop: Share = Fraction(4, 10)
    history_periods: Some = 4


class Cards(_Table):
    """What a card cannot do."""

    apart_km: Amount = Fraction(2)
    fastest_kmh: Amount = Fraction(60)
    proxy_cards: Some = 3
    proxy_within_s: Some = 60
    proxy_days: Some = 3
    proxy_periods: Some = 6
    unknown_per_hour: Some = 20
    revoked_h: Some = 24
    foreign_taps: Some = 3


class After(_Table):
    """What follows from something else."""

    verified_off_d: Count = 90
    shadow_periods: Count = 3
    lebaran_before_d: Count = 10
    lebaran_after_d: Count = 10
    watermark_stuck_d: Some = 7


class Notify(_Table):
    """How messages are sent."""

    per_15min: Some = 5
    per_hour: Some = 11
    lease_s: Some = 60
    unknown_outcome_resends: Count = 1
    give_up_h: Some = 24
    max_chars: Some = 3500


class Escalate(_Table):
    """Minutes since an outage began after which it is told to whom, beside the NOC."""

    technician_min: Count = 60
    supervisor_min: Count = 1440
    head_min: Count = 4320


class Quiet(_Table):
    """When nobody is disturbed."""

    p2: str = "20:00-06:00"
    office: str = "Mon-Fri 08:00-16:00"
    ramadan: str = "Mon-Fri 08:00-15:00"
    friday: str = "11:30-13:00"
    ramadan_days: tuple[tuple[date, date], ...] = ()
    """First and last day of each Ramadan whose office hours are known."""
    ack_expiry_h: Some = 72

    @field_validator("p2", "office", "ramadan", "friday")
    @classmethod
    def _legible(cls, text: str, field: ValidationInfo) -> str:
        try:
            days.ServiceHours.parse(text if field.field_name in ("office", "ramadan") else f"Mon-Sun {text}")
        except days.BadServiceHours as error:
            raise ValueError(str(error)) from None
        return text


class Shadow(_Table):
    """Kinds that are decided and recorded, and told to nobody."""

    kinds: frozenset[Kind] = frozenset({Kind.HOLDER_ABSENT, Kind.PROXY_PATTERN})


class Policy(_Table):
    """Every threshold, as they hold for one estate on one day."""

    version: str = "default"
    device: Device = Device()
    flap: Flap = Flap()
    path: Route = Route()
    clock: Clock = Clock()
    reader: Reader = Reader()
    storage: Storage = Storage()
    registration: Registration = Registration()
    absence: Absence = Absence()
    mass: Mass = Mass()
    cards: Cards = Cards()
    after: After = After()
    notify: Notify = Notify()
    escalate: Escalate = Escalate()
    quiet: Quiet = Quiet()
    shadow: Shadow = Shadow()


@dataclass(frozen=True, slots=True)
class _Edition:
    since: date
    everywhere: Policy
    estates: Mapping[str, Policy] = field(default_factory=dict)


EVER: Final = date.min


@dataclass(frozen=True, slots=True)
class Policies:
    """The policy as it stood and will stand, for every estate."""

    editions: tuple[_Edition, ...] = (_Edition(EVER, Policy()),)
    """In the order of their days; the first one holds since ever."""

    def at(self, day: date, estate: str = "") -> Policy:
        """The policy in force on *day*, for *estate* if it has one of its own."""
        edition = next(each for each in reversed(self.editions) if each.since <= day)
        return edition.estates.get(estate, edition.everywhere)

    def overridden(self, day: date) -> frozenset[str]:
        """The estates that have a policy of their own on *day*."""
        return frozenset(next(each for each in reversed(self.editions) if each.since <= day).estates)

    def changes(self) -> list[date]:
        """The days on which another policy comes into force."""
        return [each.since for each in self.editions[1:]]


def shipped() -> Policies:
    """The policy that comes with the program."""
    return parse(resources.files("cloud.alerts").joinpath("policy.toml").read_text("utf-8"))


def read(path: Path) -> Policies:
    """The policy of a file. Raises `BadPolicy`."""
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadPolicy(f"the policy file {path} cannot be read ({error.__class__.__name__})") from error


def parse(text: str) -> Policies:
    """The policy of a TOML text: tables of thresholds, `[estate.CODE.…]`, `[[amendment]]`. Raises `BadPolicy`.

    Whatever is missing keeps its default; an amendment keeps what it does not name from the edition before it.
    """
    try:
        tables = tomllib.loads(text, parse_float=Fraction)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise BadPolicy(f"the policy is no TOML: {error}") from error
    amendments = tables.pop("amendment", [])
    if not isinstance(amendments, list) or not all(isinstance(each, dict) for each in amendments):
        raise BadPolicy("amendment: must be written [[amendment]]")
    return Policies(tuple(_editions(tables, amendments)))


def _editions(first: dict[str, object], amendments: Sequence[dict[str, object]]) -> list[_Edition]:
    editions, tables = [_edition(EVER, first)], first
    for number, amendment in enumerate(amendments, 1):
        since = amendment.get("effective")
        if type(since) is not date or since <= editions[-1].since:
            raise BadPolicy(f"amendment {number}: effective must be a date (2026-07-01) after the one before it")
        if "version" not in amendment:
            raise BadPolicy(f"amendment {number}: version is missing; flags name it as what they were judged by")
        tables = _merged(tables, {key: value for key, value in amendment.items() if key != "effective"})
        editions.append(_edition(since, tables))
    return editions


def _edition(since: date, tables: Mapping[str, object]) -> _Edition:
    own = {key: value for key, value in tables.items() if key != "estate"}
    overrides = tables.get("estate", {})
    if not isinstance(overrides, dict) or not all(isinstance(each, dict) for each in overrides.values()):
        raise BadPolicy("estate: must be tables by code, such as [estate.DMG.absence]")
    return _Edition(
        since, _policy(own), {code: _policy(_merged(own, override), code) for code, override in overrides.items()}
    )


def _policy(tables: Mapping[str, object], estate: str = "") -> Policy:
    try:
        return Policy.model_validate(tables)
    except ValidationError as error:
        where = f"estate.{estate}." if estate else ""
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise BadPolicy(
            "; ".join(f"{where}{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        ) from None


def _merged(under: Mapping[str, object], over: Mapping[str, object]) -> dict[str, object]:
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
