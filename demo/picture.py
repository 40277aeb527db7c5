"""A picture of the screen, for the README: `hadir-demo --for 40s --picture docs/demo.svg`."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from demo import incidents, screen
from demo.screen import Picture

WIDTH: Final = 100
BEFORE_MENDED_S: Final = 1.5
"""The picture is taken while one machine is in trouble, just before it is helped."""


@asynccontextmanager
async def taken(look: Callable[[], Picture], path: Path | None, *, for_s: float | None) -> AsyncIterator[None]:
    """Meanwhile, take a picture into *path* when there is most to see."""
    if path is None:
        yield
        return
    photographer = asyncio.create_task(_take(look, path, incidents.times(for_s).mend_s - BEFORE_MENDED_S))
    try:
        yield
    finally:
        photographer.cancel()


async def _take(look: Callable[[], Picture], path: Path, after_s: float) -> None:
    await asyncio.sleep(after_s)
    save(look(), path)


def save(shown: Picture, path: Path) -> None:
    """Draw *shown* into an SVG file."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(screen.draw(shown))
    console.save_svg(str(path), title="hadir-demo")
