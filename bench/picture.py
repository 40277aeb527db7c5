"""The plot of a run. The only importer of matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # the backend must be chosen first


def draw(
    path: Path, *, delays: Mapping[str, Sequence[float]], memory: Mapping[str, Sequence[tuple[float, float]]]
) -> None:
    """How long taps took to be confirmed, and what the ingester's memory did meanwhile."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name, values in delays.items():
        ordered = sorted(values)
        left.plot(
            [1000 * value for value in ordered],
            [100 * (at + 1) / len(ordered) for at in range(len(ordered))],
            label=name,
        )
    left.set(xlabel="ms from card to confirmation", ylabel="% of taps", title="Tap → stored → confirmed", ylim=(0, 101))
    left.set_xlim(left=0)
    for name, samples in memory.items():
        right.plot([at for at, _ in samples], [size for _, size in samples], label=name)
    right.set(xlabel="s", ylabel="MB", title="The ingester's resident memory", ylim=(0, None))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8)
    figure.savefig(path)
    pyplot.close(figure)


def draw_memory(path: Path, memory: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    """Resident memory over time."""
    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    for name, samples in memory.items():
        axes.plot([at / 60 for at, _ in samples], [size for _, size in samples], label=name)
    axes.set(xlabel="min", ylabel="MB resident", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path)
    pyplot.close(figure)
