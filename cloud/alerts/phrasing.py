"""Notices put into words: whether it can be done at all, how many fit one message, and the message itself."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence

from cloud.alerts import texts
from cloud.alerts.channels import Outgoing, Traits
from cloud.alerts.texts import Wording
from cloud.records.messages import Message
from cloud.records.notices import Notice
from cloud.records.people import Address

log = logging.getLogger(__name__)


def is_legible(notice: Notice) -> bool:
    """Whether *notice* can be put into words. What cannot is a mistake of ours, and is logged."""
    try:
        for is_chat in (True, False):
            texts.compose(notice.facts, Wording(is_chat))
    except Exception as error:  # noqa: BLE001  # the mistake is of this row: it waits, the others go on
        log.error(
            "A notice cannot be put into words (%s): it waits an hour, the others go on.",
            where(error),
            extra={"action": "notice_broken", "notice_id": notice.id},
        )
        return False
    return True


def fits(together: Sequence[Notice], traits: Traits, *, console: str) -> int:
    """How many of these notices, from the first, one message can carry; what is illegible takes no room."""
    legible = [notice.facts for notice in together if is_legible(notice)]
    words = Wording(traits.is_chat, console)
    return texts.fits(legible, words, max_chars=traits.max_chars) + len(together) - len(legible)


def outgoing(
    message: Message, address: Address, notices: Sequence[Notice], *, traits: Traits, console: str
) -> Outgoing:
    """*notices* as the text of *message*, no longer than its channel takes."""
    is_repeat = message.unknowns > 0 or any(notice.is_repeat for notice in notices)
    words = Wording(traits.is_chat, console, is_repeat)
    facts = [notice.facts for notice in notices]
    whole = texts.compose(facts[0], words) if len(facts) == 1 else texts.bundle(facts, words)
    text = texts.cut(whole, traits.max_chars)
    return Outgoing(
        key=str(message.id),
        address=address.address,
        text=text,
        amends=message.amends,
        made_ms=message.made_ms,
        letter="" if traits.is_chat else texts.letter(text),
        html="" if traits.is_chat else texts.html(text),
    )


def where(error: BaseException) -> str:
    """What threw, and in which line; its own words may quote an address or a household."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {frame.filename.rpartition('/')[2]}:{frame.lineno}"
