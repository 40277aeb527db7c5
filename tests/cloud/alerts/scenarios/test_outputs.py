"""What holds for everything that is said in any story: to whom, and what never is in it (I2, I3, I14, I15)."""

import re
from collections import Counter
from pathlib import Path

import pytest
from storytelling import everybody

SAMPLES = Path(__file__).parents[3] / "samples" / "scenarios"
STORIES = sorted(SAMPLES.glob("*.txt"))
STAFF = {each.person for each in everybody()}
CHATS = ("telegram", "whatsapp")
SECRETS = {
    "a unit": re.compile(r"\b[A-Z]{3}/[A-Z]/"),
    "a name": re.compile(r"\bNama\b"),
    "a pseudonym": re.compile(r"[0-9a-f]{32}"),
    "the time of a tap": re.compile(r"23\.59"),
}


def letters(story: Path) -> list[tuple[list[tuple[str, str]], str]]:
    """The messages of a story: their readers with the channel of each, and the text."""
    found = []
    for block in re.findall(r"  ┌ kepada (.+)\n((?:  │.*\n?)+)", story.read_text("utf-8")):
        readers = re.findall(r"([\w-]+) \((\w+)\)", block[0])
        found.append((readers, block[1].replace("  │ ", "")))
    return found


def test_every_story_is_told() -> None:
    assert {story.stem for story in STORIES} == {f"S{number}" for number in range(1, 17)}


@pytest.mark.parametrize("story", STORIES, ids=[story.stem for story in STORIES])
def test_nobody_but_officials_is_told_anything_and_no_chat_names_a_household(story: Path) -> None:
    said = letters(story)
    assert said
    assert {reader for readers, _ in said for reader, _ in readers} <= STAFF
    for readers, text in said:
        if any(channel in CHATS for _, channel in readers):
            assert [secret for secret, pattern in SECRETS.items() if pattern.search(text)] == []


@pytest.mark.parametrize("story", STORIES, ids=[story.stem for story in STORIES])
def test_of_a_flag_nobody_hears_twice_that_it_ended_nor_that_it_ended_before_it_began(story: Path) -> None:
    heard: Counter[tuple[str, str]] = Counter()
    ended: Counter[tuple[str, str]] = Counter()
    over = re.compile(r"pulih 1|pulih 2|berakhir|lengkap kembali|longgar kembali|tepat kembali|normal kembali|ditarik:")
    for readers, text in letters(story):
        for number, line in re.findall(r"^\[P\d · (FLG-\d\d-\d{5})\] (.+)$", text, re.MULTILINE):
            for reader, _ in readers:
                heard[reader, number] += 1
                ended[reader, number] += bool(over.search(line))
                assert not over.search(line) or heard[reader, number] > 1, f"{reader} never heard of {number}"
    assert max(ended.values(), default=0) <= 1
