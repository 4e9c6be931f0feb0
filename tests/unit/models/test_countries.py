"""The table of countries."""

from __future__ import annotations

import re

import pytest

from models.countries import COUNTRIES, FRANCE, CountryRecord, country_of

CONTINENTS = {"991": "Europe", "992": "Asia", "993": "Africa", "994": "America", "995": "Oceania"}


@pytest.mark.parametrize(
    ("insee_code", "name"),
    [(FRANCE, "France"), ("99352", "Algérie"), ("99139", "Portugal"), ("99397", "Comores"), ("99517", "Palaos")],
)
def test_a_country_is_found_by_its_code(insee_code: str, name: str):
    assert country_of(insee_code) == CountryRecord(insee_code, name)


def test_every_state_is_there_once():
    names = [country.name for country in COUNTRIES.values()]

    # The 193 members of the United Nations, the Vatican, Palestine, Kosovo and Taiwan.
    assert len(names) == len(set(names)) == 197


def test_codes_and_names_have_their_form():
    for code, country in COUNTRIES.items():
        assert country.insee_code == code
        assert re.fullmatch(r"99\d{3}", code)
        assert code[:3] in CONTINENTS
        assert country.name == country.name.strip() != ""


def test_the_code_of_a_state_that_is_no_more_is_shown_as_it_is():
    assert country_of("99115") == CountryRecord("99115", "99115")  # Czechoslovakia
