"""`python -m grafana write`: the dashboards' files from the descriptions. `check`: are the files what they would be?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from grafana import files

FOLDER: Final = Path(__file__).parent


@click.group()
def main() -> None:
    """Dashboards as code."""


@main.command()
def write() -> None:
    """Write every generated file anew."""
    for name, content in files.generated().items():
        (FOLDER / name).write_text(content)
        click.echo(f"{FOLDER / name}")


@main.command()
def check() -> None:
    """Fail when a generated file is not what the generator would write."""
    stale = [name for name, content in files.generated().items() if _read(FOLDER / name) != content]
    if stale:
        raise click.ClickException(f"{', '.join(stale)}: not as generated; run `python -m grafana write`.")


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    main()
