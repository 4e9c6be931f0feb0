"""Sealed at rest: read back with the right keys only, never altered unseen, found by a fingerprint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.encryption import EncryptedTextField, EncryptionError, KeyRing, key_ring, use_key_ring
from tests.conftest import KEYS

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
FINGERPRINT = b"f" * 32
NIR = "293046912304591"


def ring(*keys: bytes) -> KeyRing:
    return KeyRing(keys=keys, fingerprint_key=FINGERPRINT)


@given(st.text())
def test_any_text_comes_back_as_it_was(text: str):
    assert ring(NEW).open(ring(NEW).seal(text)) == text


@given(st.text(min_size=4))
def test_a_sealed_text_does_not_show(text: str):
    assert text.encode() not in ring(NEW).seal(text)


def test_the_same_text_is_sealed_differently_each_time():
    assert ring(NEW).seal(NIR) != ring(NEW).seal(NIR)


def test_after_a_rotation_old_values_open_and_new_ones_are_sealed_with_the_new_key():
    old = ring(OLD).seal(NIR)

    assert ring(NEW, OLD).open(old) == NIR
    assert ring(NEW).open(ring(NEW, OLD).seal(NIR)) == NIR


def test_a_value_whose_key_is_gone_says_so_and_not_the_value():
    sealed = ring(OLD).seal(NIR)

    with pytest.raises(EncryptionError, match="not in the ring") as failure:
        ring(NEW, OTHER).open(sealed)

    assert NIR not in str(failure.value)


@given(st.integers(min_value=0), st.integers(1, 255))
def test_one_altered_byte_anywhere_is_noticed(position: int, difference: int):
    sealed = bytearray(ring(NEW).seal(NIR))
    sealed[position % len(sealed)] ^= difference

    with pytest.raises(EncryptionError):
        ring(NEW).open(bytes(sealed))


@pytest.mark.parametrize("length", range(len(KeyRing((NEW,), FINGERPRINT).seal(NIR))))
def test_a_value_cut_short_anywhere_is_noticed(length: int):
    sealed = ring(NEW).seal(NIR)

    with pytest.raises(EncryptionError):
        ring(NEW).open(sealed[:length])


def test_fingerprints_are_equal_for_equal_values_whatever_seals_them():
    assert ring(OLD).fingerprint(NIR) == ring(NEW, OLD).fingerprint(NIR)
    assert ring(OLD).fingerprint(NIR) != ring(OLD).fingerprint("185051305507297")


def test_fingerprints_stay_the_same_from_one_release_to_the_next():
    # Rows are found by them: another value here means that no NIR is found any more.
    assert ring(NEW).fingerprint(NIR) == "d38553b23cd0da8bf9e9750a22f48b7aa6dd4d632dda73c85ea11919b27e5b34"


def test_fingerprints_tell_nothing_without_their_key():
    other = KeyRing(keys=(NEW,), fingerprint_key=OTHER)

    assert other.fingerprint(NIR) != ring(NEW).fingerprint(NIR)


def test_a_key_ring_does_not_print_its_keys():
    shown = f"{ring(NEW, OLD)!r} {ring(NEW, OLD)}"

    assert "nnnn" not in shown
    assert "oooo" not in shown
    assert "ffff" not in shown


@pytest.mark.parametrize("keys", [(), (b"short",), (NEW, b""), (NEW + b"1",)])
def test_keys_of_another_size_are_refused(keys: tuple[bytes, ...]):
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing(keys=keys, fingerprint_key=FINGERPRINT)


@pytest.mark.parametrize("fingerprint_key", [b"", b"short", FINGERPRINT + b"1"])
def test_a_fingerprint_key_of_another_size_is_refused(fingerprint_key: bytes):
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing(keys=(NEW,), fingerprint_key=fingerprint_key)


def test_the_process_uses_the_ring_that_was_installed_last():
    try:
        use_key_ring(ring(NEW))

        assert key_ring() == ring(NEW)
    finally:
        use_key_ring(KEYS)


def test_a_field_seals_on_the_way_in_and_opens_on_the_way_out():
    field = EncryptedTextField(null=True)

    stored = field.to_db_value(NIR, None)  # pyright: ignore[reportArgumentType]: the field does not look at the row

    assert isinstance(stored, bytes)
    assert NIR.encode() not in stored
    assert field.to_python_value(stored) == field.to_python_value(memoryview(stored)) == NIR
    assert field.to_python_value(NIR) == NIR
    assert field.to_db_value(None, None) is None  # pyright: ignore[reportArgumentType]
