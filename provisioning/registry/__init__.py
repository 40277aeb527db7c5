"""The registry as files: `hadir-provision registry`. Who may be where comes in as CSV, all of it or none."""

from provisioning.registry.commands import group

__all__ = ["group"]
