"""What is known of one machine, minute after minute."""

from typing import Any

import month_story as story
from month_calendar import QUARTER
from month_story import SECOND, Message

PATIENCE = 180 * SECOND


class Life:
    """What is known of one machine, minute after minute."""

    def __init__(self, device: str, month: Any, signs: list[Message]) -> None:
        self.device, self.month, self.signs = device, month, signs
        self.beat: Message | None = None
        self.heard = self.gone = self.told = self.born = 0
        self.book = (0, 0, 0, 0, 0)
        self.quarter = 0
        self.next = 0

    def row(self, minute: int) -> dict[str, Any]:
        while self.next < len(self.signs) and self.signs[self.next].arrived <= minute:
            self._note(self.signs[self.next])
            self.next += 1
        if minute // QUARTER != self.quarter:
            self.quarter, self.book = minute // QUARTER, self._book(minute)
        seen = self.heard or story.STANDS[self.device][0]
        online = self.heard > 0 and minute - self.heard <= PATIENCE and self.heard > self.gone
        book = dict(zip(("made", "stored", "missing", "held", "rejected"), self.book, strict=True))
        row = {"online": int(online), "heard": int(self.beat is not None), "last_seen_s": (minute - seen) // 1000}
        return row | book | self._said(minute)

    def _note(self, sign: Message) -> None:
        if sign.kind == "heartbeat":
            self.beat = sign
        if sign.said.get("reason") in ("will", "goodbye"):
            self.gone = sign.arrived
        if sign.said.get("reason") == "birth":
            self.born = sign.arrived
        if sign.said.get("reason") != "will":
            self.heard = sign.arrived
            self.told = max(self.told, sign.said["last_seq"])

    def _said(self, minute: int) -> dict[str, Any]:
        names = ("uptime_s", "backlog", "disk_free_pct", "version", "parked")
        if self.beat is None:
            nothing = ("reader_ok", "clock_trusted", "oldest_unsent_s", "clock_offset_ms", "refused")
            return dict.fromkeys([*names, *nothing], 0) | {"version": "none", "disk_free_pct": 0.0}
        said = self.beat.said
        oldest, offset = said["oldest_unsent"], said["clock_offset_ms"]
        return {name: said[name] for name in names} | {
            "reader_ok": int(said["reader"] == "ok"),
            "clock_trusted": int(said["clock"] == "trusted"),
            "oldest_unsent_s": 0 if oldest is None else (minute - oldest) // 1000,
            "clock_offset_ms": said["at"] - self.beat.arrived if offset is None else offset,
            "refused": 0,
        }

    def _book(self, minute: int) -> tuple[int, int, int, int, int]:
        """Made, stored, missing, held, rejected. What was said to be lost stays missing: the five add up."""
        kept = self.month.told.kept[self.device]
        arrived = [record for record in kept if record.arrived and record.arrived <= minute]
        made = max([self.told, *(record.seq for record in arrived)])
        held = self.month.held(minute + 20 * SECOND, self.device)
        refused = sum(record.kind == "garbage" for record in arrived)
        return made, len(arrived) - held - refused, made - len(arrived), held, refused
