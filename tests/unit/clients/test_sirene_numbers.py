"""SIRET numbers and NAF codes, as they are typed."""

import pytest

from clients.sirene import clean_siret, parse_naf
from clients.sirene.numbers import is_invented_by_the_platform


@pytest.mark.parametrize(
    "text",
    [
        "90210000700019",
        "902 100 007 00019",
        " 90210000700019\n",
        "902.100.007.00019",
        "902-100-007-00019",
        "902\u00a0100\u202f007\u200900019",
        "902\u2011100\u2011007\u201100019",
        "\ufeff90210000700019",
    ],
)
def test_a_siret_is_read_in_any_usual_spelling(text: str):
    assert clean_siret(text) == "90210000700019"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9021000070001",
        "902100007000190",
        "90210000700018",
        "9021000070001A",
        "00000000000000",
        "00000000000018",
        "９０２１００００７０００１９",
        "35600000000014",
        "902/100/007/00019",
    ],
)
def test_what_cannot_be_a_siret_is_none(text: str):
    assert clean_siret(text) is None


@pytest.mark.parametrize("number", ["35600000000048", "35600000049837"])
def test_la_poste_follows_a_key_of_its_own_but_for_its_head_office(number: str):
    assert clean_siret(number) == number


def test_a_siren_that_fails_luhn_is_refused_even_where_the_fourteen_digits_pass():
    assert clean_siret("90210000000006") is None


@pytest.mark.parametrize(("siret", "is_invented"), [("90210000799904", True), ("90210000700019", False)])
def test_numbers_that_the_platform_made_up_are_told_by_their_nic(siret: str, is_invented: bool):
    assert is_invented_by_the_platform(siret) is is_invented


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("88.99B", "8899B"),
        ("8899B", "8899B"),
        (" 8899b ", "8899B"),
        ("85.3K", None),
        ("741J", None),
        ("8899é", None),
        ("8899", None),
        ("88.99BB", None),
        ("８８９９B", None),
        ("", None),
        (None, None),
    ],
)
def test_a_naf_code_is_four_digits_and_a_letter(text: str | None, code: str | None):
    assert parse_naf(text) == code
