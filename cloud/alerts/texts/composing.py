"""From the facts of notices to a text: one by itself, several in a bundle, and never longer than a channel takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cloud.alerts.channels import Text
from cloud.alerts.kinds import NATURE, About, Kind
from cloud.alerts.texts import digest, templates, wording

Facts = Mapping[str, Any]  # Any: JSON

REPEATED: Final = "(kirim ulang)"
LONGEST_LINE: Final = 300
_AROUND_A_BUNDLE: Final = 500
"""Characters kept for a bundle's headline, link and what is left out."""
_AT_THE_NOC: Final = {"melalui": "melalui NOC", "konsol": "di NOC"}
"""Where flags are looked at while there is no link to send: who runs `hadir-alerts show` and `decide`."""
CHANNELS: Final = {"smtp": "surel", "telegram": "Telegram", "whatsapp": "WhatsApp", "webhook": "webhook"}


@dataclass(frozen=True, slots=True)
class Wording:
    """For whom a text is."""

    is_chat: bool = True
    """Then it names no household."""
    console: str = ""
    """Where flags are looked at; empty = nowhere yet."""
    is_repeat: bool = False


def compose(facts: Facts, words: Wording) -> Text:
    """The text of one notice. Raises `NoWords`."""
    if "span" in facts:
        plain = replace(words, is_repeat=False)
        text = digest.compose(facts, headline=lambda each: headline(each, plain), link=_link(words, ""))
        return replace(text, headline=f"{REPEATED} {text.headline}") if words.is_repeat else text
    if "kind" not in facts:
        return _system(facts, words)
    said = templates.block(str(facts["kind"]), _words_for(facts), _context(facts, words))
    return Text(_marked(facts, said.headline, words), said.impact, said.action, _link(words, facts["flag"]))


def headline(facts: Facts, words: Wording) -> str:
    """Its first line alone, as a bundle lists it."""
    line = compose(facts, words).headline
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def bundle(items: Sequence[Facts], words: Wording) -> Text:
    """One text for several notices: every one of them is named."""
    lines = tuple(headline(facts, replace(words, is_repeat=False)) for facts in items)
    repeated = f"{REPEATED} " if words.is_repeat else ""
    first = (
        templates.block(str(items[0]["kind"]), _words_for(items[0]), _context(items[0], words)).headline
        if ("kind" in items[0])
        else lines[0]
    )
    head = f"[{min(str(each.get('severity', 'P4')) for each in items)}] {repeated}{wording.number(len(items))} "
    return Text(f"{head}pemberitahuan sekaligus, yang pertama: {first}", lines=lines, link=_link(words, ""))


def fits(items: Sequence[Facts], words: Wording, *, max_chars: int) -> int:
    """How many of *items*, from the first, one bundle can carry; at least one."""
    room = max_chars - _AROUND_A_BUNDLE
    for count, facts in enumerate(items):
        room -= len(headline(facts, words)) + len(" · ")
        if room < 0:
            return max(1, count)
    return len(items)


def cut(text: Text, max_chars: int) -> Text:
    """*text*, shortened where it is too long: of a list the end, `… dan 23 lainnya`; else the ends of paragraphs."""
    if len(text.plain()) <= max_chars:
        return text
    for kept in range(len(text.lines) - 1, 0, -1):
        left_out = f"… dan {wording.number(len(text.lines) - kept)} lainnya"
        shorter = replace(text, lines=(*text.lines[:kept], left_out))
        if len(shorter.plain()) <= max_chars:
            return shorter
    room = max(40, (max_chars - len(text.link) - 10) // 4)
    return Text(_short(text.headline, room), _short(text.impact, room), _short(text.action, room), text.link)


def _short(part: str, room: int) -> str:
    return part if len(part) <= room else part[: room - 1].rstrip() + "…"


def _words_for(facts: Facts) -> str:
    """Which words say what happened: a machine that was taken away has not recovered."""
    is_removed = facts["what"] == "closed" and facts["evidence"].get("reason") == "removed"
    return "removed" if is_removed else str(facts["what"])


def _marked(facts: Facts, line: str, words: Wording) -> str:
    number = f" · {facts['flag']}" if facts.get("flag") else ""
    repeated = f"{REPEATED} " if words.is_repeat else ""
    return f"[{facts['severity']}{number}] {repeated}{line}"


def _link(words: Wording, flag: object) -> str:
    if not words.console:
        return ""
    return f"Tautan: {words.console.rstrip('/')}/flags" + (f"/{flag}" if flag else "")


def _system(facts: Facts, words: Wording) -> Text:
    context = {
        "penerima": facts["person"],
        "saluran": CHANNELS.get(str(facts.get("channel")), ""),
        "saat": wording.instant(facts["at_ms"]),
    }
    said = templates.block(templates.SYSTEM, str(facts["what"]), context)
    repeated = f"{REPEATED} " if words.is_repeat else ""
    return Text(f"[Hadir] {repeated}{said.headline}", said.impact, said.action)


# ---- what the templates are given ------------------------------------------------------------------------------------


def _context(facts: Facts, words: Wording) -> dict[str, object]:
    context = _place(facts) | _counts(facts["evidence"]) | _times(facts)
    context |= {"melalui": "melalui tautan", "konsol": "di konsol"} if words.console else _AT_THE_NOC
    context |= {"surat": not words.is_chat, "tingkat": facts["severity"], "petugas": facts.get("by", "")}
    if not words.is_chat:
        context["unit"] = facts.get("unit", "")
    context["pokok"] = _topic(facts, context)
    if facts["what"] in ("worsened", "handled", "struck"):
        context["judul"] = templates.block(str(facts["kind"]), "opened", context).headline
    return context


def _place(facts: Facts) -> dict[str, object]:
    rusun = wording.rusun(str(facts["estate_name"])) if facts["estate_name"] else ""
    device = str(facts.get("device", ""))
    several = not rusun or int(facts["machines"]) != 1
    letak = rusun if not several else f"{device} di {rusun}" if rusun else device
    return {"rusun": rusun, "mesin": device, "letak": letak}


def _counts(evidence: Facts) -> dict[str, object]:
    uncounted = evidence.get("days_not_counted")
    by_reason: dict[str, int] = dict(uncounted) if isinstance(uncounted, Mapping) else {}
    return {
        "e": _Evidence(evidence),
        "gangguan": sum(by_reason.get(reason, 0) for reason in wording.OURS),
        "tidak_dihitung": sum(by_reason.values()),
        "rincian": wording.reasons(by_reason),
        "angka": wording.number,
        "banyak": _how_many,
        "daftar": wording.listing,
        "waktu": wording.instant,
    }


def _times(facts: Facts) -> dict[str, object]:
    """Instants of what machines do. When something about a household began or ended is nobody's but the console's."""
    if NATURE[Kind(facts["kind"])].is_about_people:
        return {"sampai": wording.instant(facts["until_ms"]) if "until_ms" in facts else ""}
    return {
        "sejak": wording.instant(facts["since_ms"]),
        "saat": wording.instant(facts["at_ms"]),
        "lama": wording.span(facts["at_ms"] - facts["since_ms"]),
        "sampai": wording.instant(facts["until_ms"]) if "until_ms" in facts else "",
    }


def _topic(facts: Facts, context: Mapping[str, object]) -> str:
    """What a notice is about, in the middle of a sentence."""
    about = NATURE[Kind(facts["kind"])].about
    where = context["letak"] if about is About.DEVICE else context.get("unit") or context["rusun"]
    words = wording.KINDS[facts["kind"]]
    return f"{words} ({where})" if where else words


def _how_many(value: object) -> str:
    """A count, whether the evidence counts or lists."""
    count = value if isinstance(value, int | float) else len(value) if isinstance(value, Sequence | Mapping) else None
    return "beberapa" if count is None else wording.number(count)


class _Evidence(dict[str, Any]):  # Any: JSON
    """Evidence as templates read it: what a rule did not say is empty, never an error."""

    def __missing__(self, key: str) -> str:
        return ""
