"""A sealed card opens for the ingester alone, and only as sealed by that device."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.cards import (
    Keyring,
    OpeningKey,
    SealedCard,
    SealingKey,
    UnknownKey,
    UnreadableCard,
    UnusableUid,
    is_random,
)
from contract.topics import DeviceId

KEY = OpeningKey.parse("k1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
OTHER = OpeningKey.parse("k2.HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA")
RING = Keyring({"k1": KEY})
DMG, MRD = DeviceId("DMG-01"), DeviceId("MRD-01")
uids = st.one_of(st.binary(min_size=n, max_size=n) for n in (4, 7, 10)).filter(lambda uid: not is_random(uid))


@settings(max_examples=30)
@given(uids)
def test_every_uid_opens_as_it_was_read(uid: bytes) -> None:
    text = str(KEY.public().seal(uid, DMG))
    assert RING.open(SealedCard.parse(text), DMG) == uid


def test_a_card_sealed_by_the_first_release_still_opens() -> None:
    golden = "k1.uHM7rf9R0Ow3OtH1LpAjCJxTlFqbO_W1x09abeMbpyfc40VwU2Xp9e7rPjmqQpFDgMff3eo5rkZsznE"
    assert RING.open(SealedCard.parse(golden), DMG) == bytes.fromhex("04a1b2c3d4e5f6")


def test_seals_of_one_card_never_look_alike_and_all_have_one_length() -> None:
    seals = {str(KEY.public().seal(uid, DMG)) for uid in (b"\x04abc", b"\x04abc", b"\x04abcdef", b"\x04abcdefghi")}
    assert len(seals) == 4
    assert {len(seal) for seal in seals} == {82}


def test_a_seal_copied_under_another_device_does_not_open() -> None:
    with pytest.raises(UnreadableCard, match="another device"):
        RING.open(KEY.public().seal(b"\x04abc", DMG), MRD)


def test_any_altered_byte_is_noticed() -> None:
    card = KEY.public().seal(b"\x04abc", DMG)
    for position in range(len(card.sealed)):
        altered = bytearray(card.sealed)
        altered[position] ^= 1
        with pytest.raises(UnreadableCard):
            RING.open(SealedCard("k1", bytes(altered)), DMG)


def test_a_missing_key_is_told_from_a_bad_seal() -> None:
    card = OTHER.public().seal(b"\x04abc", DMG)
    with pytest.raises(UnknownKey, match="k2"):
        RING.open(card, DMG)
    assert Keyring({"k1": KEY, "k2": OTHER}).open(card, DMG) == b"\x04abc"


def test_a_uid_of_another_length_inside_a_valid_seal_is_refused() -> None:
    from contract import cards

    forged = cards._SUITE.encrypt(bytes([5]) + bytes(10), KEY.public().public, info=cards._info(DMG))
    with pytest.raises(UnreadableCard, match="no UID"):
        RING.open(SealedCard("k1", forged), DMG)


@pytest.mark.parametrize("uid", [b"", b"\x04", b"\x08abc", b"abcde", b"abcdefgh", b"abcdefghijk"])
def test_a_uid_that_names_nobody_is_not_sealed(uid: bytes) -> None:
    with pytest.raises(UnusableUid):
        KEY.public().seal(uid, DMG)


@pytest.mark.parametrize(
    "text", ["", "k1", "k1.", ".abc", "K1.abc", "k1.???", "k1.AAAA", "k1." + "A" * 200, "k 1.AAAA", "k1.ü"]
)
def test_a_text_that_is_no_seal_is_refused(text: str) -> None:
    with pytest.raises(UnreadableCard):
        SealedCard.parse(text)


@pytest.mark.parametrize("text", ["", "k1", "K1.AAAA", "k1.AAAA", "k1.???"])
def test_a_bad_key_file_is_refused_without_showing_it(text: str) -> None:
    for parse in (OpeningKey.parse, SealingKey.parse):
        with pytest.raises(ValueError, match="key") as refusal:
            parse(text)
        assert "AAAA" not in str(refusal.value)


def test_keys_read_back_and_never_show_themselves() -> None:
    assert OpeningKey.parse(KEY.reveal()).reveal() == KEY.reveal()
    assert str(SealingKey.parse(str(KEY.public()))) == str(KEY.public())
    secret = KEY.reveal().partition(".")[2]
    assert secret not in repr(KEY) + repr(RING) + str(KEY)


def test_a_seal_does_not_show_its_bytes_in_a_log() -> None:
    card = KEY.public().seal(b"\x04abc", DMG)
    assert repr(card) == "SealedCard(key_id='k1')"


@pytest.mark.parametrize("key_id", ["", "K1", "a.b", "a" * 17])
def test_a_key_id_fits_into_the_text_form(key_id: str) -> None:
    with pytest.raises(ValueError, match="key id"):
        OpeningKey.generate(key_id)
