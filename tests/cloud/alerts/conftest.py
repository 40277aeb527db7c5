"""Somebody at the NOC, and channels that are watched."""

import pytest
from postal import Rig, person

from cloud.records import Records


@pytest.fixture
def rig(records: Records) -> Rig:
    made = Rig(records)
    made.know(person("noc-1"))
    return made
