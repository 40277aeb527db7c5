"""What explains what."""

from graphlib import TopologicalSorter

import pytest

from cloud.alerts.kinds import NATURE, Kind
from cloud.alerts.outages.topology import ABOVE, roots


@pytest.mark.parametrize(
    ("kind", "subject", "expected"),
    [
        (Kind.INGEST_DOWN, "*", ()),
        (Kind.ESTATE_OFFLINE, "DMG", ((Kind.WIDE_OUTAGE, "*"), (Kind.INGEST_DOWN, "*"))),
        (
            Kind.DEVICE_OFFLINE,
            "DMG-01",
            (
                (Kind.DEVICE_FLAPPING, "DMG-01"),
                (Kind.ESTATE_OFFLINE, "DMG"),
                (Kind.WIDE_OUTAGE, "*"),
                (Kind.INGEST_DOWN, "*"),
            ),
        ),
        (Kind.UNKNOWN_CARD, "DMG-01", ((Kind.READER_FAULT, "DMG-01"),)),
        (Kind.DEVICE_UNKNOWN, "DMG-01", ()),
        (Kind.UNIT_NO_TAPS, "DMG/B/03/12", ()),
    ],
)
def test_the_nearest_root_comes_first(kind, subject, expected):
    assert roots(kind, subject, "DMG") == expected


def test_nothing_explains_itself_by_way_of_others():
    assert list(TopologicalSorter(ABOVE).static_order())


def test_nothing_about_people_is_ever_hushed_by_an_outage():
    assert not [kind for kind in ABOVE if NATURE[kind].is_about_people]
