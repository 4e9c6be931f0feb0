"""National numbers: what may exist, what may not, and what contradicts the rest of an identity. All are invented."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.enums import Title
from models.identifiers import (
    InvalidIdentifier,
    format_nir,
    is_france_travail_id,
    mask_nir,
    nir_contradictions,
    parse_nir,
    parse_siret,
)


def with_key(first13: str) -> str:
    """Add the key as INSEE defines it, Corsica's letters standing for 19 and 18 in sixth and seventh place only."""
    number = first13[:5] + first13[5:7].replace("2A", "19").replace("2B", "18") + first13[7:]
    return f"{first13}{97 - int(number) % 97:02d}"


_two_digits = st.integers(1, 99).map(lambda number: f"{number:02d}")
first13s = st.tuples(
    st.sampled_from("123478"),
    st.integers(0, 99).map(lambda year: f"{year:02d}"),
    st.one_of(st.integers(1, 12), st.integers(20, 42), st.integers(50, 99)).map(lambda month: f"{month:02d}"),
    st.one_of(_two_digits, st.sampled_from(["2A", "2B"])),
    st.integers(0, 999_999).map(lambda rest: f"{rest:06d}"),
).map("".join)


@pytest.mark.parametrize(
    ("typed", "nir"),
    [
        ("293046912304591", "293046912304591"),
        ("2 93 04 69 123 045 91", "293046912304591"),
        (" 2\u00a093\u202f04 69 123 045\t91\n", "293046912304591"),
        ("185052A00403349", "185052A00403349"),
        ("185052a00403349", "185052A00403349"),
        (with_key("185052B004033"), with_key("185052B004033")),
        # An unknown month of birth is written 20 to 42 or 50 to 99.
        ("193206912304509", "193206912304509"),
        # The largest key: the first thirteen digits are a multiple of 97.
        ("185051305507297", "185051305507297"),
        # A keyboard that types full-width digits.
        ("２93046912304591", "293046912304591"),
    ],
)
def test_a_nir_that_can_exist_is_read_as_fifteen_characters(typed: str, nir: str):
    assert parse_nir(typed) == nir


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "empty"),
        ("29304691230459", "14 characters"),
        ("2930469123045911", "16 characters"),
        ("293046912304592", "wrong key"),
        ("141208078200557", "wrong key"),
        ("29304691230459X", "letter in the key"),
        ("185052C00403349", "no department 2C"),
        ("293-04-69-12304", "hyphens"),
        ("193136912304591", "month 13, whatever the key says"),
        ("193436912304586", "month 43, whatever the key says"),
        ("985051305500159", "no person's number begins with 9"),
        (with_key("0850513055001"), "nor with 0"),
        (with_key("5850513055001"), "nor with 5"),
        (with_key("6850513055001"), "nor with 6"),
        ("269054958815780", "the specimen that is printed on sample cards"),
    ],
)
def test_a_nir_that_cannot_exist_is_refused_without_repeating_it(typed: str, why: str):
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_nir(typed)

    message = str(refusal.value)
    assert message.startswith("Numéro de sécurité sociale"), why
    assert not typed or typed not in message
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("month", [*range(13, 20), *range(43, 50)])
def test_months_that_were_never_given_are_refused(month: int):
    with pytest.raises(InvalidIdentifier):
        parse_nir(with_key(f"193{month:02d}69123045"))


@given(first13s)
def test_every_well_formed_number_with_its_key_is_accepted(first13: str):
    nir = with_key(first13)

    assert parse_nir(nir) == nir
    assert parse_nir(format_nir(nir)) == nir


@given(first13s, st.integers(0, 99))
def test_only_one_key_fits_a_number(first13: str, key: int):
    nir = f"{first13}{key:02d}"
    if nir == with_key(first13):
        assert parse_nir(nir) == nir
        return

    with pytest.raises(InvalidIdentifier):
        parse_nir(nir)


def test_a_masked_nir_shows_sex_year_and_month_only():
    assert mask_nir("293046912304591") == "2 93 04 •• ••• ••• ••"


def test_a_formatted_nir_is_grouped_as_on_the_card():
    assert format_nir("185052A00403349") == "1 85 05 2A 004 033 49"


TITLE = "Une erreur a été détectée : la civilité ne correspond pas au numéro de sécurité sociale."
BIRTHDATE = "Une erreur a été détectée : la date de naissance ne correspond pas au numéro de sécurité sociale."


@pytest.mark.parametrize(
    ("first13", "title", "birthdate", "contradictions"),
    [
        ("2930469123045", Title.MME, date(1993, 4, 12), []),
        ("2930469123045", Title.M, date(1993, 4, 12), [TITLE]),
        ("2930469123045", Title.MME, date(1993, 5, 12), [BIRTHDATE]),
        ("2930469123045", Title.MME, date(1994, 4, 12), [BIRTHDATE]),
        ("2930469123045", Title.M, date(1994, 4, 12), [TITLE, BIRTHDATE]),
        ("1850513055072", Title.M, date(1985, 5, 1), []),
        ("1850513055072", Title.MME, date(1985, 5, 1), [TITLE]),
        # What is unknown contradicts nothing.
        ("1850513055072", None, None, []),
        # The century is not in the number.
        ("1260513055072", Title.M, date(1926, 5, 1), []),
        ("1260513055072", Title.M, date(2026, 5, 1), []),
        # An unknown month: the year alone is compared.
        ("1932069123045", Title.M, date(1993, 11, 2), []),
        ("1932069123045", Title.M, date(1992, 11, 2), [BIRTHDATE]),
        # Provisional and foreign numbers tell the sex and not the date.
        ("3850513055072", Title.M, date(1999, 1, 1), []),
        ("4850513055072", Title.MME, date(1999, 1, 1), []),
        ("4850513055072", Title.M, date(1999, 1, 1), [TITLE]),
        ("7850513055072", Title.M, date(1999, 1, 1), []),
        ("8850513055072", Title.M, date(1999, 1, 1), [TITLE]),
    ],
)
def test_a_nir_is_compared_with_title_and_birthdate(
    first13: str, title: Title | None, birthdate: date | None, contradictions: list[str]
):
    assert nir_contradictions(with_key(first13), title=title, birthdate=birthdate) == contradictions


@pytest.mark.parametrize(
    ("typed", "siret"),
    [
        ("90210001500012", "90210001500012"),
        ("902 100 015 00012", "90210001500012"),
        (" 902.100.015\u00a000012 ", "90210001500012"),
        ("902-100-015\u201100012", "90210001500012"),
        # La Poste: the head office follows Luhn, the other establishments a sum that is a multiple of five.
        ("35600000000048", "35600000000048"),
        ("35600000049837", "35600000049837"),
    ],
)
def test_a_siret_with_its_key_is_read_as_fourteen_digits(typed: str, siret: str):
    assert parse_siret(typed) == siret


@pytest.mark.parametrize(
    "typed",
    [
        *("", "9021000150001", "902100015000121", "9021000150001A", "90210001500011", "35600000049838"),
        *("９0210001500011", "35600000000014", "00000000000000", "00000000000018"),
    ],
)
def test_a_siret_that_cannot_exist_is_refused(typed: str):
    with pytest.raises(InvalidIdentifier, match=r"^SIRET"):
        parse_siret(typed)


@pytest.mark.parametrize("text", ["1234567A", "1234567z", "12345678", "12345678901"])
def test_the_two_forms_of_a_france_travail_id_are_known(text: str):
    assert is_france_travail_id(text)


@pytest.mark.parametrize(
    "text", ["", "1234567", "1234567é", "123456789", "A2345678", "1234567A ", "1234567٣", "12345678901\n"]
)
def test_anything_else_is_no_france_travail_id(text: str):
    assert not is_france_travail_id(text)
