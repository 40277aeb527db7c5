"""How a story is written down: changes one a line, messages as their readers get them."""

from collections import Counter
from collections.abc import Iterator, Sequence

from cloud.alerts.flags.changes import Change

WIDTH = 72
"""Of a message on a console."""
MANY = 5
"""More subjects than this with the same change are counted, not listed."""


def lines(changes: Sequence[Change]) -> Iterator[str]:
    """One line a change; many alike are counted."""
    alike = Counter((each.kind, each.what) for each in changes)
    counted = set()
    for each in changes:
        key = (each.kind, each.what)
        hush = "" if each.speaks else f"  [tidak diberitakan: {', '.join(map(str, each.hushed)) or 'belum pernah'}]"
        if alike[key] <= MANY:
            number = f" {each.flag}" if each.flag else ""
            yield f"{each.kind} {each.subject} {each.what} {each.severity}{number}{hush}"
        elif key not in counted:
            counted.add(key)
            yield f"{each.kind} {each.what} {each.severity}: {alike[key]} x{hush}"


def letters(out: str) -> Iterator[str]:
    """The messages of *out* in their order; one that several people get is shown once."""
    readers: dict[str, list[str]] = {}
    for block in filter(None, out.split(f"{'─' * WIDTH}\n")):
        title, text = block.split("\n", 1)
        readers.setdefault(text, []).append(title.strip("─ ").removeprefix("kepada "))
    for text, those in readers.items():
        shown = "\n".join(f"  │ {line}".rstrip() for line in text.strip().splitlines())
        yield f"  ┌ kepada {', '.join(those)}\n{shown}"
