"""A small replay directory that is right, to be spoilt or extended: one estate, one machine, two units, March 2026."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud.records import Records
from cloud.replay.directory import Directory, open_directory

Fact = dict[str, object]

FILES = {
    "estates.csv": "estate,name,lat,lon,go_live\nDMG,Rusun Daan Mogot,-6.15,106.71,2026-03-02\n",
    "units.csv": "unit,estate\nDMG/A/01/01,DMG\nDMG/A/01/02,DMG\n",
    "tenancies.csv": "unit,start,end,known_from\nDMG/A/01/01,2025-01-01,,\nDMG/A/01/02,2025-01-01,,\n",
    "cards.csv": (
        "card,unit,role,obliged,valid_from,valid_to,ended_because,known_from\n"
        "one,DMG/A/01/01,holder,1,2025-01-01,,,\n"
        "two,DMG/A/01/02,holder,1,2025-01-01,,,\n"
        "tester,,test,0,2025-01-01,,,\n"
    ),
    "installations.csv": (
        "device,estate,installed,removed,service_hours,known_from\n"
        "DMG-01,DMG,2026-03-01T00:00:00+07:00,,Mon-Sun 06:00-22:00,\n"
    ),
    "calendar.csv": "scope,from,to,kind,reason,known_from\n*,2026-03-20,2026-03-21,lebaran,Idulfitri,\n",
    "leave.csv": "unit,from,to,known_from\nDMG/A/01/01,2026-03-10,2026-03-11,\n",
    "declared_lost.csv": "device,from,to,known_from\n",
}
"""By name, the files of the registry."""


@dataclass
class Written:
    """A replay directory in the making."""

    folder: Path
    meta: dict[str, object] = field(
        default_factory=lambda: {"format": "hadir-replay/1", "from": "2026-03-02", "until": "2026-03-09"}
    )
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    facts: dict[str, list[Fact]] = field(default_factory=lambda: {"DMG-01": []})

    def add(self, *facts: Fact, device: str = "DMG-01") -> None:
        """More facts of *device*, in the order in which they are given."""
        self.facts.setdefault(device, []).extend(facts)

    def row(self, file: str, row: str) -> None:
        """One more row of a CSV file."""
        self.files[file] += row + "\n"

    def write(self) -> Path:
        """The directory as it stands."""
        (self.folder / "devices").mkdir(parents=True, exist_ok=True)
        (self.folder / "meta.json").write_text(json.dumps(self.meta))
        for name, text in self.files.items():
            (self.folder / name).write_text(text)
        for device, facts in self.facts.items():
            text = "".join(json.dumps(fact) + "\n" for fact in facts)
            (self.folder / "devices" / f"{device}.jsonl").write_text(text)
        return self.folder

    def opened(self) -> Directory:
        """The directory, checked."""
        return open_directory(self.write())


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path / "city")


@pytest.fixture
def records(new_records: Callable[[], Records]) -> Records:
    return new_records()
