import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.records.pseudonyms import Pepper

PEPPER = Pepper(bytes(range(32)))


def test_the_pseudonym_of_a_card_never_changes() -> None:
    """HMAC-SHA256; registries that are imported already depend on these very digits."""
    assert PEPPER.pseudonym(bytes.fromhex("04a1b2c3d4e5f6")) == (
        "34ebad1fe03df3bfbc7a3b6df1f0ac0a3d12f4799273c0f1a36dbf2b1fb092cf"
    )


@given(st.binary(min_size=4, max_size=10), st.binary(min_size=4, max_size=10))
def test_two_cards_share_a_pseudonym_only_if_they_are_one(one: bytes, other: bytes) -> None:
    assert (PEPPER.pseudonym(one) == PEPPER.pseudonym(other)) == (one == other)


def test_another_pepper_gives_other_pseudonyms() -> None:
    assert Pepper(bytes(32)).pseudonym(b"abcd") != PEPPER.pseudonym(b"abcd")


def test_the_file_is_read_with_or_without_a_line_end() -> None:
    assert Pepper.parse(f"{PEPPER.secret.hex()}\n") == Pepper.parse(PEPPER.secret.hex()) == PEPPER


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "zz" * 32, "ab" * 31 + "a"])
def test_anything_else_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="64 hex digits") as refused:
        Pepper.parse(text)
    assert not text or text not in str(refused.value)


def test_the_secret_is_not_printed() -> None:
    assert PEPPER.secret.hex()[:8] not in repr(PEPPER) and str(PEPPER.secret) not in repr(PEPPER)
