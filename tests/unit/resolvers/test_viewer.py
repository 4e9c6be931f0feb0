"""Viewers: whom the streams of events may answer alike."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from uuid import UUID

import pytest

from models.enums import UserKind
from resolvers.viewer import OrganizationType, Viewer

ONE, TWO = UUID(int=1), UUID(int=2)
NAMES = {"first_name": "Ada", "last_name": "Martin", "email": "ada@example.org"}
OTHER: dict[str, Any] = {
    "kind": UserKind.EMPLOYER,
    "user_id": ONE,
    "is_observer": True,
    "is_operator": True,
    "may_read_full_nir": True,
    "organization_type": OrganizationType.COMPANY,
    "organization_id": ONE,
    "organization_is_authorized": True,
    "organization_department": "57",
    "organization_region": "Grand Est",
    "is_organization_admin": True,
    "partner_scopes": frozenset({"scope"}),
    "partner_company_ids": (ONE,),
}


def test_every_fact_about_a_viewer_is_either_a_name_or_tested_here():
    assert {field.name for field in fields(Viewer)} == NAMES.keys() | OTHER.keys()


@pytest.mark.parametrize("name", OTHER)
def test_viewers_who_differ_in_anything_but_names_are_never_answered_alike(name: str):
    viewer = Viewer()

    assert replace(viewer, **{name: OTHER[name]}).authorization_key != viewer.authorization_key


def test_a_new_name_changes_nothing():
    viewer = Viewer(kind=UserKind.STAFF, user_id=ONE)

    assert replace(viewer, **NAMES).authorization_key == viewer.authorization_key


def test_the_order_of_a_partners_companies_changes_nothing():
    viewer = Viewer(kind=UserKind.PARTNER, user_id=ONE, partner_company_ids=(ONE, TWO))

    assert replace(viewer, partner_company_ids=(TWO, ONE)).authorization_key == viewer.authorization_key
