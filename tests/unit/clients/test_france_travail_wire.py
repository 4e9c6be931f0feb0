"""Normalisation, tables and labels of France Travail."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.france_travail import IdentityQuery, exit_label, type_siae
from clients.france_travail.codes import SENSITIVE_PRESCRIBER_KINDS, application_origin, prescriber_type
from clients.france_travail.wire import certified_nir, normalise_first_name, normalise_last_name, search_body


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Nôm^' Exémple{}$", "NOM' EXEMPLE"),
        ("gh'îkñ Bind-n'qici " + 50 * "b", "GH'IKN BIND-N'QICI BBBBBB"),
        ("Œuvrard-Lefèbvre", "OEUVRARD-LEFEBVRE"),
        ("D’Artagnan", "D'ARTAGNAN"),
        ("  Straße  ", "STRASSE"),
        ("Łęcki-Ærø", "LECKI-AERO"),
        ("Nguyễn", "NGUYEN"),
        ("ﬁlleul", "FILLEUL"),
        ("李", ""),
        ("", ""),
    ],
)
def test_a_last_name_is_sent_in_capitals_without_accents_and_25_at_most(name: str, sent: str):
    assert normalise_last_name(name) == sent


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("marié%{-christine}  aéïèêë" + 20 * "x", "MARIE-CHRISTI"),
        ("Élise Aurore", "ELISE-AURORE"),
        ("  Jo  Ann ", "JO--ANN"),
        ("Jean\N{NO-BREAK SPACE}Loup", "JEAN-LOUP"),
    ],
)
def test_a_first_name_has_hyphens_for_spaces_and_13_at_most(name: str, sent: str):
    assert normalise_first_name(name) == sent


@given(st.text())
def test_whatever_the_name_only_documented_characters_and_lengths_are_sent(name: str):
    assert re.fullmatch(r"[A-Z' -]{0,25}", normalise_last_name(name))
    assert re.fullmatch(r"[A-Z'-]{0,13}", normalise_first_name(name))


@given(st.text())
def test_normalising_twice_changes_nothing_more_than_trimming(name: str):
    once = normalise_last_name(name)

    assert normalise_last_name(once) == once.strip()


@pytest.mark.parametrize(
    ("nir", "sent"),
    [
        ("185052A00403349", "185052A004033"),
        ("185052b00403349", "185052B004033"),
        ("2 70 01 99 999 001 23", "2700199999001"),
        ("2700199999001", "2700199999001"),
        ("", ""),
    ],
)
def test_the_nir_is_sent_without_its_key(nir: str, sent: str):
    assert certified_nir(nir) == sent


def test_the_birthdate_is_sent_as_an_iso_day():
    query = IdentityQuery(last_name="A", first_name="B", birthdate=date(1993, 4, 2), nir="")

    assert search_body(query)["dateNaissance"] == "1993-04-02"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("ACI", 836),
        ("AI", 837),
        ("EI", 838),
        ("ETTI", 839),
        ("EITI", 840),
        ("EA", 838),
        ("GEIQ", 838),
        ("EATT", 840),
        ("OPCS", None),
        ("", None),
    ],
)
def test_each_kind_of_structure_has_its_number_or_none(kind: str, number: int | None):
    assert type_siae(kind) == number


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("job_seeker", "DEMA"), ("prescriber", "PRES"), ("employer", "EMPL"), ("", "DEMA"), ("robot", "DEMA")],
)
def test_the_origin_is_the_sender_and_the_job_seeker_when_unknown(kind: str, sent: str):
    assert application_origin(kind) == sent


@pytest.mark.parametrize(
    ("kind", "sent"),
    [("SPIP", "Autre"), ("FT", "PE"), ("CAF", "CAF"), ("", None), ("ZZZ", "Autre"), ("Autre", "Autre"), ("ML", "ML")],
)
def test_the_prescriber_kind_is_sent_masked_renamed_or_as_it_is(kind: str, sent: str | None):
    assert prescriber_type(kind) == sent


def test_no_sensitive_prescriber_kind_is_ever_sent():
    assert len(SENSITIVE_PRESCRIBER_KINDS) == 8
    assert {prescriber_type(kind) for kind in SENSITIVE_PRESCRIBER_KINDS} == {"Autre"}


def test_one_code_has_a_label_of_its_own_at_each_endpoint():
    labels = {(endpoint, exit_label(endpoint, "S001")) for endpoint in ("rech_individu", "maj_pass")}

    assert labels == {
        ("rech_individu", "Personne trouvée"),
        ("maj_pass", "Suivi délégué non installé : identifiant national manquant"),
    }


def test_what_is_not_listed_has_no_label():
    assert exit_label("maj_pass", "S030") is None
    assert exit_label("rech_individu", "S022") is None
    assert exit_label("elsewhere", "S000") is None


@pytest.mark.parametrize(
    ("endpoint", "codes"),
    [
        ("maj_pass", [f"S{number:03d}" for number in range(44) if number != 30]),
        ("maj_pass", ["E_ERR_D98_D_PR_PROBLEME_TECHNIQUE", "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT"]),
        ("maj_pass", ["INVALID_SIAE_KIND", "missing_code"]),
        ("rech_individu", ["PE001", "PE004", "PE008", "S000", "S001", "S002", "empty_nir", "missing_code"]),
        ("rech_individu", ["R010", "R011", "R020", "R021", "R030", "R031", "R040", "R041", "R042"]),
    ],
)
def test_every_documented_code_has_a_label(endpoint: str, codes: list[str]):
    assert [code for code in codes if not exit_label(endpoint, code)] == []
