"""What a worker is told by its environment: secrets from files, and each fault with its variable's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.alerts.settings import BadSettings, ChannelSettings, DeskSettings


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADIR_DATABASE_URL", "sqlite:///x.db")


def test_without_a_policy_file_the_shipped_one_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert DeskSettings.read().policies().editions[0].everywhere.version != "default"
    (tmp_path / "policy.toml").write_text("[absence]\nopen = 0\n")
    monkeypatch.setenv("HADIR_POLICY_FILE", str(tmp_path / "policy.toml"))
    with pytest.raises(BadSettings, match=r"HADIR_POLICY_FILE: absence\.open"):
        DeskSettings.read().policies()


def test_channels_are_opened_by_name_with_their_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "telegram.token").write_text("123:abc\n")
    monkeypatch.setenv("HADIR_CHANNELS", "telegram: console:")
    monkeypatch.setenv("HADIR_CHANNEL_SECRETS_DIR", str(tmp_path))
    opened = ChannelSettings.read().open_channels()
    assert list(opened) == ["telegram", "console"]
    for channel in opened.values():
        channel.close()


def test_a_channel_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HADIR_CHANNELS", "pigeon:")
    with pytest.raises(BadSettings, match="HADIR_CHANNELS"):
        ChannelSettings.read().open_channels()


def test_two_addresses_of_one_database_are_one_too_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HADIR_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(BadSettings, match="only one of them"):
        DeskSettings.read()
