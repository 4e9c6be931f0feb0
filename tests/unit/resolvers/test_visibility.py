"""Rules of visibility, as text: complete, closed, and asking only for what they are given."""

from __future__ import annotations

import re

import pytest

from models.enums import PartnerScope
from resolvers.entities.people import JOB_SEEKER
from resolvers.reading import entity_named, entity_names
from resolvers.sources import ToOne
from resolvers.statements import Statement
from resolvers.viewer import ANONYMOUS, OrganizationType, Scope, Viewer
from resolvers.viewer import UserKind as Kind
from resolvers.visibility import PARTNER_SCOPES, visible

ALL_PARTNER_SCOPES = frozenset(scope.value for scope in PartnerScope)
NAMES = sorted(entity_names())


def test_the_entities_are_registered():
    assert JOB_SEEKER.name in NAMES
    assert len(NAMES) >= 14


@pytest.mark.parametrize("type_name", NAMES)
def test_who_is_not_signed_in_sees_no_row_of_any_type(type_name: str):
    assert visible(type_name, Scope.ANONYMOUS) == "FALSE"


@pytest.mark.parametrize("type_name", [name for name in NAMES if name != "User"])
def test_who_acts_for_no_organisation_sees_nothing_but_themself(type_name: str):
    assert visible(type_name, Scope.NOBODY) == "FALSE"
    assert visible("User", Scope.NOBODY) == "{t}.id = :viewer_id"


@pytest.mark.parametrize("type_name", NAMES)
@pytest.mark.parametrize("scope", Scope)
def test_a_rule_is_a_condition_on_its_row_by_parameters_of_the_viewer(type_name: str, scope: Scope):
    rule = visible(type_name, scope, ALL_PARTNER_SCOPES)

    assert set(re.findall(r"\{(\w+)\}", rule)) <= {"t"}
    assert set(Statement(rule).names) <= set(ANONYMOUS.parameters())
    assert rule.count("(") == rule.count(")")
    assert rule in ("TRUE", "FALSE") or "{t}." in rule


@pytest.mark.parametrize("type_name", NAMES)
def test_what_everybody_of_the_staff_sees_is_the_same_but_for_what_operators_work_on(type_name: str):
    staff, operator = visible(type_name, Scope.STAFF), visible(type_name, Scope.OPERATOR)

    assert (staff == operator) is (type_name not in ("NotificationAttempt", "WebhookEvent"))


@pytest.mark.parametrize("type_name", NAMES)
def test_a_partner_without_its_scope_sees_nothing_of_the_type(type_name: str):
    if type_name in PARTNER_SCOPES:
        others = ALL_PARTNER_SCOPES - {PARTNER_SCOPES[type_name]}
        assert visible(type_name, Scope.PARTNER, others) == "FALSE"
        assert visible(type_name, Scope.PARTNER, ALL_PARTNER_SCOPES) != "FALSE"
    else:
        # A company that it acts for is known to it anyway; of everything else, nothing.
        assert (visible(type_name, Scope.PARTNER, ALL_PARTNER_SCOPES) != "FALSE") is (type_name == "Company")


@pytest.mark.parametrize("type_name", NAMES)
def test_a_relation_leads_to_a_type_that_has_rules(type_name: str):
    for source in entity_named(type_name).fields.values():
        if isinstance(source, ToOne):
            assert source.entity in NAMES
    for children in entity_named(type_name).children.values():
        assert children.entity in NAMES
        assert children.ordering.columns[-1] == "{t}.id", "an order without the key is not total"


# -- who one is


@pytest.mark.parametrize(
    ("viewer", "scope"),
    [
        (Viewer(), Scope.ANONYMOUS),
        (Viewer(kind=Kind.JOB_SEEKER), Scope.JOB_SEEKER),
        (Viewer(kind=Kind.EMPLOYER), Scope.NOBODY),
        (Viewer(kind=Kind.EMPLOYER, organization_type=OrganizationType.COMPANY), Scope.EMPLOYER),
        (Viewer(kind=Kind.EMPLOYER, organization_type=OrganizationType.INSTITUTION), Scope.NOBODY),
        (Viewer(kind=Kind.PRESCRIBER), Scope.PRESCRIBER),
        (
            Viewer(kind=Kind.PRESCRIBER, organization_type=OrganizationType.PRESCRIBER_ORGANIZATION),
            Scope.PRESCRIBER,
        ),
        (
            Viewer(
                kind=Kind.PRESCRIBER,
                organization_type=OrganizationType.PRESCRIBER_ORGANIZATION,
                organization_is_authorized=True,
            ),
            Scope.AUTHORIZED_PRESCRIBER,
        ),
        (
            Viewer(kind=Kind.PRESCRIBER, organization_type=OrganizationType.COMPANY, organization_is_authorized=True),
            Scope.PRESCRIBER,
        ),
        (Viewer(kind=Kind.LABOR_INSPECTOR), Scope.NOBODY),
        (Viewer(kind=Kind.LABOR_INSPECTOR, organization_type=OrganizationType.COMPANY), Scope.NOBODY),
        (Viewer(kind=Kind.LABOR_INSPECTOR, organization_type=OrganizationType.INSTITUTION), Scope.LABOR_INSPECTOR),
        (Viewer(kind=Kind.STAFF), Scope.STAFF),
        (Viewer(kind=Kind.STAFF, is_observer=True), Scope.STAFF),
        (Viewer(kind=Kind.STAFF, is_operator=True), Scope.OPERATOR),
        (Viewer(kind=Kind.PARTNER), Scope.PARTNER),
        # Rights that only staff can have make nobody else staff.
        (Viewer(kind=Kind.JOB_SEEKER, is_observer=True, is_operator=True, may_read_full_nir=True), Scope.JOB_SEEKER),
    ],
)
def test_a_viewer_falls_under_one_scope(viewer: Viewer, scope: Scope):
    assert viewer.scope is scope


def test_a_representation_of_a_viewer_holds_no_person():
    viewer = Viewer(kind=Kind.STAFF, first_name="Maëlle", last_name="Inventée", email="personne@exemple.test")

    assert not any(word in repr(viewer) for word in ("Maëlle", "Inventée", "exemple"))
