"""A dashboard as a schematic picture: its grid with titles and kinds of panels, as SVG, from the JSON alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Json = Mapping[str, Any]  # Any: a dashboard is whatever stands in its file

COLUMN: Final = 40
ROW: Final = 22
_HEAD: Final = 64
_GAP: Final = 4
_LETTER: Final = 7.6
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "stat": ("angka", "#e8f3ec"),
    "table": ("tabel", "#eef1f8"),
    "timeseries": ("garis waktu", "#fdf3e4"),
    "state-timeline": ("lini keadaan", "#f6ecf7"),
    "barchart": ("batang", "#fdf3e4"),
    "xychart": ("peta titik", "#e6f2f5"),
    "text": ("teks", "#f4f4f4"),
}


def svg(board: Json) -> str:
    """The picture of *board*."""
    panels = board["panels"]
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * COLUMN, _HEAD + bottom * ROW
    body = "\n".join([*_head(board, width), *(line for panel in panels for line in _panel(panel))])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">\n'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _head(board: Json, width: int) -> Iterator[str]:
    chosen = "  ".join(f"[{variable['label']}]" for variable in board["templating"]["list"])
    span = f"{board['time']['from']} … {board['time']['to']}"
    yield f'<text x="8" y="26" font-size="19" font-weight="bold">{escape(board["title"])}</text>'
    yield f'<text x="8" y="50" font-size="13" fill="#555">{escape(board["description"])}</text>'
    right = escape(f"{chosen}   {span}")
    yield f'<text x="{width - 8}" y="26" font-size="12" fill="#555" text-anchor="end">{right}</text>'


def _panel(panel: Json) -> Iterator[str]:
    place = panel["gridPos"]
    left, top = place["x"] * COLUMN + _GAP / 2, _HEAD + place["y"] * ROW + _GAP / 2
    width, height = place["w"] * COLUMN - _GAP, place["h"] * ROW - _GAP
    kind, colour = _KINDS[panel["type"]]
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="4" fill="{colour}" stroke="#b5b5b5"/>'
    lines = list(_wrapped(panel["title"], int((width - 16) / _LETTER)))
    for at, line in enumerate(lines):
        yield f'<text x="{left + 8}" y="{top + 19 + 17 * at}" font-size="13.5">{escape(line)}</text>'
    said = f"{kind} · {panel['timeFrom']}" if panel.get("timeFrom") else kind
    if height > 24 + 17 * len(lines):
        bottom = top + height - 9
        yield f'<text x="{left + 8}" y="{bottom}" font-size="11.5" fill="#777">{escape(said)}</text>'


def _wrapped(text: str, letters: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > letters:
            yield line
            line = word
        else:
            line = f"{line} {word}".strip()
    yield line
