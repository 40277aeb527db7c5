"""The file of the console channel, read while it grows."""

import io
from pathlib import Path

from cloud.alerts.channels import Outgoing, Text, open_channel
from demo.letters import Letters


def send(path: Path, address: str, headline: str) -> None:
    channel = open_channel(f"console:{path}")
    channel.send(Outgoing("1", address, Text(headline, "Dampak: tidak ada.")))
    channel.close()


def test_each_message_is_given_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "messages.txt"
    letters = Letters(path)
    assert letters.fresh() == []
    send(path, "NOC", "satu")
    send(path, "UPRS DMG", "dua")
    first, second = letters.fresh()
    assert first.startswith("── kepada NOC ─") and "satu" in first and "dua" not in first
    assert second.startswith("── kepada UPRS DMG ─") and "dua" in second
    assert letters.fresh() == []


def test_half_a_message_waits_for_its_other_half(tmp_path: Path) -> None:
    path, whole = tmp_path / "messages.txt", io.StringIO()
    open_channel("console:", out=whole).send(Outgoing("1", "NOC", Text("satu")))
    letters, text = Letters(path), whole.getvalue()
    path.write_text(text[:40], "utf-8")
    assert letters.fresh() == []
    path.write_text(text, "utf-8")
    assert [letter.splitlines()[1] for letter in letters.fresh()] == ["satu"]
