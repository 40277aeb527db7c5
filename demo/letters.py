"""The messages that went out, as their readers got them: read from the file that the console channel writes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

LOOK_S: Final = 0.25
HEAD: Final = "── kepada "
RULE: Final = "─" * 20


class Letters:
    """What has come so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def fresh(self) -> list[str]:
        """The messages that came since the last call, each whole."""
        if not self._path.exists():
            return []
        text = self._path.read_text("utf-8")[self._read :]
        whole = text[: text.rfind(f"\n{RULE}") + 1]
        end = text.find("\n", len(whole)) + 1 if whole else 0
        self._read += end
        return [f"{HEAD}{part}".rstrip() for part in text[:end].split(HEAD)[1:]]


async def show(console: Console, letters: Letters, told: list[str]) -> None:
    """Print them above the screen as they come, and add them to *told*, until cancelled."""
    while True:
        for letter in letters.fresh():
            told.append(letter)
            console.print(Text(letter, "cyan"), soft_wrap=True)
        await asyncio.sleep(LOOK_S)
