"""What an operator is told of machines that are away and of keys that are gone."""

from __future__ import annotations

import os

import pytest

from models.encryption import EncryptionError, KeyRing
from ops.failures import INFRASTRUCTURE_ERRORS, sentence_of


def test_a_value_whose_key_was_removed_too_early_is_told_with_the_variable_and_what_to_do():
    old, new = (KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32)) for _ in range(2))

    with pytest.raises(EncryptionError) as refused:
        new.open(old.seal("293046912304591"))

    assert isinstance(refused.value, INFRASTRUCTURE_ERRORS)
    assert sentence_of(refused.value).startswith("ENCRYPTION_KEYS: sealed value")
    assert "second key" in sentence_of(refused.value)
    assert "293046912304591" not in sentence_of(refused.value)
