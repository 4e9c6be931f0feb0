"""Stored values and French labels."""

from __future__ import annotations

import pytest

from models import enums
from models.enums import CompanyKind, LabelledEnum, NotificationStatus

ENUMS = [
    member
    for member in vars(enums).values()
    if isinstance(member, type) and issubclass(member, LabelledEnum) and member is not LabelledEnum
]


def test_the_closed_lists_are_found():
    assert len(ENUMS) > 25


@pytest.mark.parametrize("enum", ENUMS)
def test_every_member_has_a_label_of_its_own(enum: type[LabelledEnum]):
    labels = [member.label for member in enum]

    assert all(label.strip() == label != "" for label in labels)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("enum", ENUMS)
def test_every_value_fits_its_column(enum: type[LabelledEnum]):
    # 32 characters are set aside for each, so that a longer member needs no change of type.
    assert all(0 < len(member.value) <= 32 for member in enum)


@pytest.mark.parametrize("enum", ENUMS)
def test_a_stored_value_is_found_again_without_its_label(enum: type[LabelledEnum]):
    assert all(enum(member.value) is member for member in enum)


def test_a_member_is_its_stored_value_in_text():
    assert str(NotificationStatus.READY) == f"{NotificationStatus.READY}" == "notification_ready"
    assert CompanyKind("ACI").label == "Atelier chantier d'insertion"


def test_a_value_that_no_member_has_is_refused():
    with pytest.raises(ValueError, match="unheard_of"):
        NotificationStatus("unheard_of")
