"""Nothing of a household in a chat: whatever a rule puts into its evidence, whatever kind speaks (I15)."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloud.alerts import texts
from cloud.alerts.dispatch import facts
from cloud.alerts.dispatch.facts import Place
from cloud.alerts.flags.changes import Change, What
from cloud.alerts.kinds import NATURE, About, Kind
from cloud.alerts.texts import Wording, templates

UNIT = "PSK/B/03/12"
CARD = "5ec4e7" * 10 + "beef"
NAME = "Siti Rahayu"
TAP_MS = 1_778_547_600_123  # 12 Mei 2026 08.00 WIB
SECRETS = (UNIT, CARD, NAME, "siti rahayu", str(TAP_MS), str(TAP_MS // 1000), "08.00")
PLACE = Place("PSK", "Pesakih", 2)
SUBJECT = {About.UNIT: UNIT, About.CARD: CARD, About.DEVICE: "PSK-01", About.ESTATE: "PSK", About.CITY: "*"}

secret = st.sampled_from([UNIT, CARD, NAME, "siti rahayu", TAP_MS, TAP_MS // 1000, float(TAP_MS)])
NAMES = """cause reason device devices machines estates channels units card cards last_tap_ms tapped_at holder
missed_periods days_counted days_not_counted waiting periods state"""
names = st.sampled_from(NAMES.split())
evidence = st.recursive(
    secret | st.integers(0, 500),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.sampled_from([UNIT, NAME]), inner, max_size=3)
    ),
    max_leaves=8,
)
changes = st.builds(
    lambda kind, what, found, since: Change(
        at_ms=TAP_MS,
        kind=kind,
        subject=SUBJECT[NATURE[kind].about],
        what=what,
        severity=NATURE[kind].severity,
        evidence=found,
        flag="FLG-26-00417",
        estate="" if NATURE[kind].about is About.CITY else "PSK",
        since_ms=since,
    ),
    st.sampled_from([kind for kind in Kind if NATURE[kind].is_about_people]),
    st.sampled_from([What.OPENED, What.CLOSED, What.RETRACTED, What.SUPERSEDED, What.WORSENED]),
    st.dictionaries(names, evidence, max_size=6),
    st.just(TAP_MS),
)


@given(changes, st.booleans())
def test_a_chat_never_learns_of_a_household(change: Change, is_repeat: bool) -> None:
    said = facts.of_change(change, PLACE, what=change.what.value)
    words = Wording(True, "https://hadir.example", is_repeat)
    for text in (texts.compose(said, words), texts.bundle([said, said], words)):
        shown = text.plain()
        assert [found for found in SECRETS if found in shown] == []


@example({"cause": {"cause": TAP_MS}})
@given(st.dictionaries(names, evidence, max_size=6))
def test_what_is_kept_of_evidence_names_no_household_either(found: dict[str, Any]) -> None:
    kept = str(facts.sayable(found))
    assert [secret for secret in (UNIT, CARD, NAME, str(TAP_MS)) if secret in kept] == []


@pytest.mark.parametrize("kind", [kind for kind in Kind if NATURE[kind].about is About.UNIT])
def test_only_a_mail_names_the_unit(kind: Kind) -> None:
    change = Change(TAP_MS, kind, UNIT, What.OPENED, NATURE[kind].severity, {}, "FLG-26-00001", estate="PSK")
    said = facts.of_change(change, PLACE, what="opened")
    assert UNIT in texts.compose(said, Wording(is_chat=False)).plain()
    assert UNIT not in texts.compose(said, Wording(is_chat=True)).plain()


def test_a_cards_pseudonym_is_kept_nowhere() -> None:
    change = Change(TAP_MS, Kind.REVOKED_CARD, CARD, What.OPENED, NATURE[Kind.REVOKED_CARD].severity, {"card": CARD})
    assert CARD not in str(facts.of_change(change, PLACE, what="opened"))


def test_templates_of_a_chat_are_not_even_given_the_unit(facts_of) -> None:
    context = texts.composing._context(facts_of(Kind.UNIT_NO_TAPS, "opened"), Wording())
    assert UNIT not in str(context)
    assert not {"unit", "sejak", "saat", "lama"} & context.keys()


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("what", ["opened", "closed", "worsened", "retracted", "superseded", "handled", "struck"])
def test_every_kind_has_words_for_whatever_can_happen_to_it(kind: Kind, what: str, facts_of) -> None:
    for words in (Wording(), Wording(is_chat=False)):
        text = texts.compose(facts_of(kind, what, evidence={}), words)
        assert text.headline.startswith("[P")
        assert "\n" not in text.headline


def test_what_can_escalate_has_words_for_it() -> None:
    from cloud.alerts.dispatch.audience import LADDER

    climbing = [kind for kind, rungs in LADDER.items() if any(rung.after for rung in rungs)]
    assert [kind for kind in climbing if not templates.has(kind.value, "escalated")] == []
