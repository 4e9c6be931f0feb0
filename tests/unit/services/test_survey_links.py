"""What links to surveys say: the context of the form, and of nobody."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from clients.tally import TallyForms
from models.enums import CompanyKind
from services.surveys.links import company_context, new_reference, organization_context, survey_url

FORMS = TallyForms("https://tally.so")


@pytest.mark.parametrize(
    ("form_id", "context", "expected"),
    [
        (
            "mY59xq",
            company_context(number=4321, kind=CompanyKind.ACI, department="13"),
            "mY59xq?id_siae=4321&type_siae=Atelier+chantier+d%27insertion"
            "&region=Provence-Alpes-C%C3%B4te+d%27Azur&departement=13",
        ),
        (
            "mY59xq",
            company_context(number=4321, kind=CompanyKind.EI, department=""),
            "mY59xq?id_siae=4321&type_siae=Entreprise+d%27insertion&region=&departement=",
        ),
        (
            "w2EoDp",
            organization_context(number=77, department="93"),
            "w2EoDp?idorganisation=77&region=%C3%8Ele-de-France&departement=93",
        ),
    ],
    ids=["company", "company without department", "organisation"],
)
def test_a_link_names_the_organisation_and_its_place(form_id: str, context: dict[str, str], expected: str):
    assert survey_url(FORMS, form_id, context, "x") == f"https://tally.so/r/{expected}&ref=x"


@pytest.mark.parametrize("kind", CompanyKind)
def test_the_kind_of_a_company_goes_by_its_french_label(kind: CompanyKind):
    url = survey_url(FORMS, "mY59xq", company_context(number=1, kind=kind, department="2A"), "x")

    assert dict(parse_qsl(urlsplit(url).query)) == {
        "id_siae": "1",
        "type_siae": kind.label,
        "region": "Corse",
        "departement": "2A",
        "ref": "x",
    }
    assert "’" not in kind.label  # the form knows the ASCII apostrophe


def test_an_association_intermediaire_is_spelled_in_utf_8():
    url = survey_url(FORMS, "mY59xq", company_context(number=1, kind=CompanyKind.AI, department="57"), "x")

    assert "type_siae=Association+interm%C3%A9diaire&" in url


@pytest.mark.parametrize("department", ["", "99", "Moselle", "20"])
def test_a_department_that_is_none_is_sent_empty(department: str):
    context = company_context(number=1, kind=CompanyKind.EI, department=department)

    assert (context["region"], context["departement"]) == ("", "")


def test_whatever_else_a_row_holds_stays_at_home():
    stored = {"nom": "Fictive", "departement": "57", "email": "a@exemple.test", "id_siae": "1"}

    assert survey_url(FORMS, "mY59xq", stored, "x") == "https://tally.so/r/mY59xq?id_siae=1&departement=57&ref=x"


def test_references_are_of_128_random_bits_and_never_the_same():
    references = {new_reference() for _ in range(1_000)}

    assert len(references) == 1_000
    assert {len(reference) for reference in references} == {22}
