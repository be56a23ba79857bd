"""Keys: what they seal opens in its place and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from records.interface import SealBroken, WrongMasterKey
from records.keys import KeyRing, place
from tests.support.record import MASTER_KEY

RING = KeyRing(MASTER_KEY)
WRAPPED, KEYS = RING.create("patient-1", "key-1")


@given(st.text())
def test_what_is_sealed_opens(words: str) -> None:
    assert KEYS.unseal("patients", "name", "1", KEYS.seal("patients", "name", "1", words)) == words


@given(st.data())
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    sealed = bytearray(KEYS.seal("patients", "name", "1", "Wang Fang"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        KEYS.unseal("patients", "name", "1", bytes(sealed))


@given(st.binary(max_size=80))
def test_no_other_bytes_open(data: bytes) -> None:
    with pytest.raises(SealBroken):
        KEYS.unseal("patients", "name", "1", data)


@pytest.mark.parametrize(
    "elsewhere", [("uploads", "name", "1"), ("patients", "email", "1"), ("patients", "name", "2")]
)
def test_a_seal_opens_only_in_its_place(elsewhere: tuple[str, str, str]) -> None:
    with pytest.raises(SealBroken):
        KEYS.unseal(*elsewhere, KEYS.seal("patients", "name", "1", "Wang Fang"))


def test_a_seal_opens_only_for_its_patient() -> None:
    _, other = RING.create("patient-2", "key-2")
    with pytest.raises(SealBroken):
        other.unseal("patients", "name", "1", KEYS.seal("patients", "name", "1", "Wang Fang"))


def test_the_same_words_never_look_the_same() -> None:
    assert KEYS.seal("t", "c", "1", "same") != KEYS.seal("t", "c", "1", "same")


def test_a_wrapped_key_opens_again_under_the_same_master_key() -> None:
    opened = KeyRing(MASTER_KEY).open(WRAPPED)
    assert opened.unseal("t", "c", "1", KEYS.seal("t", "c", "1", "words")) == "words"
    assert opened.blob_name("ab") == KEYS.blob_name("ab")


def test_a_wrapped_key_belongs_to_its_patient() -> None:
    for changed in (replace(WRAPPED, patient_id="patient-2"), replace(WRAPPED, key_id="key-2")):
        with pytest.raises(SealBroken):
            KeyRing(MASTER_KEY).open(changed)


def test_another_master_key_is_told_apart() -> None:
    other = KeyRing(bytes(32))
    assert other.master_key_id != RING.master_key_id
    with pytest.raises(WrongMasterKey):
        other.open(WRAPPED)
    with pytest.raises(SealBroken):
        other.open(replace(WRAPPED, master_key_id=other.master_key_id))


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(length: int) -> None:
    with pytest.raises(WrongMasterKey):
        KeyRing(bytes(length))


def test_blob_names_tell_nothing_without_the_key() -> None:
    _, other = RING.create("patient-3", "key-3")
    assert KEYS.blob_name("00" * 32) != other.blob_name("00" * 32)


def test_opened_keys_are_remembered() -> None:
    ring = KeyRing(MASTER_KEY)
    assert ring.opened("patient-1") is None
    opened = ring.open(WRAPPED)
    assert ring.opened("patient-1") is opened


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_places_are_distinct(one: list[str], other: list[str]) -> None:
    assert (place(*one) == place(*other)) == (one == other)
