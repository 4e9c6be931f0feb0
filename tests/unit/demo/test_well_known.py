"""Whom a token is for."""

from __future__ import annotations

import pytest

from demo.cast.identifiers import make_siret
from demo.cast.well_known import (
    DEMO_COMPANY,
    Persona,
    company_siret,
    employer_subject,
    holder_in,
    holder_of,
    prescriber_siret,
    prescriber_subject,
)


def test_a_siret_of_the_demo_gives_its_administrator():
    assert holder_in(Persona.EMPLOYER, company_siret(7)).subject == employer_subject(7)
    assert holder_in(Persona.PRESCRIBER, prescriber_siret(9)).subject == prescriber_subject(9)


def test_the_siret_of_the_usual_company_gives_the_usual_employer():
    assert holder_in(Persona.EMPLOYER, company_siret(DEMO_COMPANY)) == holder_of(Persona.EMPLOYER)


@pytest.mark.parametrize(
    "siret",
    [
        "",
        "123",
        "not a siret 00",
        make_siret(90_000_000),
        company_siret(301),
        company_siret(1)[:-1] + "x",
        prescriber_siret(1),
    ],
)
def test_another_siret_is_refused_with_one_that_would_do(siret: str):
    with pytest.raises(ValueError, match=company_siret(2)):
        holder_in(Persona.EMPLOYER, siret)


@pytest.mark.parametrize("persona", [Persona.STAFF, Persona.JOB_SEEKER, Persona.PARTNER, Persona.LABOR_INSPECTOR])
def test_somebody_without_such_an_organisation_takes_no_siret(persona: Persona):
    with pytest.raises(ValueError, match="--org"):
        holder_in(persona, company_siret(1))


@pytest.mark.parametrize("persona", Persona)
def test_everybody_has_a_subject_of_their_own(persona: Persona):
    subjects = [holder_of(other).subject for other in Persona if other is not persona]

    assert holder_of(persona).subject not in subjects
