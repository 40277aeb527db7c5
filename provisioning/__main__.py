"""`hadir-provision`: the tool of technicians and operators. Each module that has a sub-command brings its own group."""

import logging
from datetime import UTC, datetime

import click

from provisioning import broker, certificates, grafana, influx, keys, registry

GROUPS = (certificates.group, keys.group, broker.group, registry.group, influx.group, grafana.group)


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Hadir: certificates, keys, the broker's rules, the registry, InfluxDB and Grafana."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    context.obj = datetime.now(UTC)


for group in GROUPS:
    main.add_command(group)

if __name__ == "__main__":
    main()
