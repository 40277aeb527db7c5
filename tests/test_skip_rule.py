"""What happens to a test whose server is not installed here."""

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def rule(request: pytest.FixtureRequest) -> ModuleType:
    """The suite's own conftest."""
    plugin = request.config.pluginmanager.get_plugin(str(Path(__file__).with_name("conftest.py")))
    assert isinstance(plugin, ModuleType)
    return plugin


def test_a_missing_program_skips_the_test_and_says_how_to_get_it(rule: ModuleType) -> None:
    with pytest.raises(pytest.skip.Exception, match="apt-get install influxdb"):
        rule.skip_or_fail("influxd is not installed: get it with `sudo apt-get install influxdb`.", strict=False)


def test_where_everything_must_run_a_missing_program_is_a_failure(rule: ModuleType) -> None:
    with pytest.raises(pytest.fail.Exception, match="apt-get install influxdb"):
        rule.skip_or_fail("influxd is not installed: get it with `sudo apt-get install influxdb`.", strict=True)


@pytest.mark.parametrize(("switch", "outcome"), [("1", pytest.fail.Exception), ("0", pytest.skip.Exception)])
def test_the_switch_is_hadir_no_skip(
    rule: ModuleType, monkeypatch: pytest.MonkeyPatch, switch: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("HADIR_NO_SKIP", switch)
    with pytest.raises(outcome):
        rule.missing("pcscd is not installed")
