"""`python -m demo.truth DIR`: write a city of known truth as a replay directory, and its truth beside it."""

import json
from importlib import resources
from pathlib import Path

import click

from demo import city as towns
from demo.truth import city as cities
from demo.truth import writing
from demo.truth.city import City, Size


def make(size: Size, *, seed: int) -> City:
    """The city of a seed, with the names and places of the real one."""
    sites = towns.read_sites(resources.files("demo").joinpath("data/rusun.csv").read_text("utf-8"))
    return cities.build(sites, size, seed=seed)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same city.")
@click.option("--estates", default=3, show_default=True, help="How many rusun; 23 are all there are.")
@click.option("--units", default=40, show_default=True, help="Flats a rusun; 0 = as many as there really are.")
@click.option("--days", default=180, show_default=True)
@click.option("--heartbeat-min", default=30, show_default=True, help="Minutes between two heartbeats.")
@click.option("--untroubled", multiple=True, help="An estate where nothing fails; the taps made stay as they are.")
def main(folder: Path, seed: int, untroubled: tuple[str, ...], **size: int) -> None:
    """Write the city into FOLDER, and its truth into FOLDER.truth.json."""
    city = make(Size(**size), seed=seed)
    writing.write(city, folder, untroubled=untroubled)
    truth = folder.with_name(folder.name + ".truth.json")
    truth.write_text(json.dumps(writing.truth(city), indent=1) + "\n", "utf-8")
    click.echo(f"{len(city.homes)} flats, {len(city.devices)} machines, {len(city.taps)} taps: {folder}, {truth}")


if __name__ == "__main__":
    main()
