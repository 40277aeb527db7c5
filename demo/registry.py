"""The city as the registry's CSV files, as a housing office would hand them over for import."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib import resources

from demo import city as cities
from demo.city import City
from demo.residents import JAKARTA


def files(city: City, *, go_live: datetime) -> dict[str, str]:
    """File name to content. Everybody moved in and every machine was installed at *go_live*, known from then on."""
    day = go_live.astimezone(JAKARTA).date().isoformat()
    since = go_live.astimezone(JAKARTA).isoformat()
    registered = [flat for flat in city.flats if flat.is_registered]
    return {
        "calendar.csv": (resources.files("demo") / "data" / "calendar.csv").read_text("utf-8"),
        "estates.csv": _table(
            ("estate", "name", "lat", "lon", "go_live"),
            ((estate.code, estate.name, estate.lat, estate.lon, day) for estate in city.estates),
        ),
        "units.csv": _table(("unit", "estate"), ((flat.unit, flat.estate) for flat in city.flats)),
        "tenancies.csv": _table(
            ("unit", "start", "end", "known_from"), ((flat.unit, day, "", since) for flat in city.flats)
        ),
        "cards.csv": _table(
            ("card", "unit", "role", "obliged", "valid_from", "valid_to", "ended_because", "known_from"),
            ((flat.uid.hex(), flat.unit, "holder", 1, day, "", "", since) for flat in registered),
        ),
        "installations.csv": _table(
            ("device", "estate", "installed", "removed", "service_hours", "known_from"),
            (
                (machine, estate.code, since, "", cities.SERVICE_HOURS, since)
                for estate in city.estates
                for machine in estate.machines
            ),
        ),
    }


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
