"""One target in a process of its own, under atheris: `python -m bench.fuzz.one TARGET CORPUS [libFuzzer options]`.

The only importer of atheris. Instrumentation must come before the first import of what is fuzzed.
"""

from __future__ import annotations

import logging
import sys

import atheris


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    logging.disable(logging.CRITICAL)
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["contract", "edge", "cloud", "provisioning"]):
        from bench.fuzz.targets import TARGETS
    atheris.Setup([name, *options], TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
