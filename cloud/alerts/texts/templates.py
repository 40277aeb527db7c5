"""The Jinja2 templates: one file per kind of flag, in it one block per change. A name that is missing is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import jinja2

from cloud.alerts.channels import Text

GENERAL: Final = "_any"
SYSTEM: Final = "_system"
_IMPACT: Final = "Dampak:"
_ACTION: Final = "Tindakan:"


@dataclass(frozen=True, slots=True)
class Block:
    """What a template says."""

    headline: str
    impact: str = ""
    action: str = ""


class NoWords(LookupError):
    """There is no text for this kind and change: a file in `texts/id` is missing, or a block in it."""


def has(kind: str, change: str) -> bool:
    """Whether *kind* has words of its own for *change*."""
    return change in _template(kind).blocks


def blocks(kind: str) -> list[str]:
    """The changes that *kind* has words for."""
    return sorted(_template(kind).blocks)


def block(kind: str, change: str, context: Mapping[str, object]) -> Block:
    """What is said of *change*, in the words of its kind or else in those for any kind. Raises `NoWords`."""
    own = _template(kind)
    template = own if change in own.blocks else _template(GENERAL)
    if change not in template.blocks:
        raise NoWords(f"no words for {change} of {kind}: add the block to cloud/alerts/texts/id/{kind}.jinja")
    rendered = "".join(template.blocks[change](template.new_context(dict(context))))
    return _read([" ".join(line.split()) for line in rendered.splitlines() if line.strip()])


def letter(text: Text) -> str:
    """*text* as the plain part of a mail."""
    return _environment().get_template("mail.txt").render(text=text)


def html(text: Text) -> str:
    """*text* as the HTML part of a mail."""
    return _environment().get_template("mail.html").render(text=text)


def _read(lines: list[str]) -> Block:
    headline, *rest = lines
    impact = " ".join(line for line in rest if not line.startswith(_ACTION))
    return Block(headline, impact, " ".join(line for line in rest if line.startswith(_ACTION)))


def _template(name: str) -> jinja2.Template:
    try:
        return _environment().get_template(f"{name}.jinja")
    except jinja2.TemplateNotFound:
        raise NoWords(f"no words for {name}: add the file cloud/alerts/texts/id/{name}.jinja") from None


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("cloud.alerts.texts", "id"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
