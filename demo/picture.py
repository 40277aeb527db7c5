"""A picture of the screen, for the README: `hadir-demo --for 40s --picture docs/demo.svg`."""

import io
from pathlib import Path

from rich.console import Console

from demo import screen
from demo.screen import Picture

WIDTH = 104


def save(shown: Picture, path: Path) -> None:
    """Draw *shown* into an SVG file."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(screen.draw(shown))
    console.save_svg(str(path), title="hadir-demo")
