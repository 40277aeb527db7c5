"""`python -m grafana write` makes dashboards, pictures and their page from the descriptions; `check` compares."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from grafana import files

ROOT: Final = Path(__file__).parents[1]


@click.group()
def main() -> None:
    """Dashboards as code."""


@main.command()
def write() -> None:
    """Write every generated file anew."""
    for name, content in files.generated().items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(content)
        click.echo(name)


@main.command()
def check() -> None:
    """Fail when a generated file is not what the generator would write."""
    stale = [name for name, content in files.generated().items() if _read(ROOT / name) != content]
    if stale:
        raise click.ClickException(f"{', '.join(stale)}: not as generated; run `python -m grafana write`.")


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


if __name__ == "__main__":
    main()
