"""The tour through all partners tells what a fresh demo answers today."""

from __future__ import annotations

import re

import pytest

from docs.tour import TOUR, Demo, main, pretty
from models.enums import Partner

PAGE = TOUR.read_text(encoding="utf-8")
# What of the schema shows each partner.
ASKED_BY = {
    Partner.FRANCE_TRAVAIL: "authority: FRANCE_TRAVAIL",
    Partner.API_PARTICULIER: "authority: API_PARTICULIER",
    Partner.BAN: "geocode(",
    Partner.API_GEO: "commune(",
    Partner.SIRENE: "establishment(",
    Partner.DATA_INCLUSION: "inclusionStructures(",
    Partner.RDV_INSERTION: "inviteToAppointment(",
    Partner.DIAGORIENTE: "sendDiagorienteInvitation(",
    Partner.TALLY: "requestSurvey(",
    Partner.METABASE: "dashboard(",
}


@pytest.mark.e2e
def test_a_fresh_demo_gives_every_answer_of_the_tour(capsys: pytest.CaptureFixture[str]):
    exit_code = main(["--check"])

    assert exit_code == 0, capsys.readouterr().err


@pytest.mark.parametrize("partner", Partner, ids=lambda partner: partner.name)
def test_the_tour_asks_every_partner(partner: Partner):
    operations = re.findall(r"^```graphql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

    assert any(ASKED_BY[partner] in operation for operation in operations)


def test_what_no_two_starts_share_is_not_on_the_page():
    answer = {
        "sentAt": "2026-11-22T18:41:55.123456+00:00",
        "message": "Déjà fait le 22/11/2026 à 20:05.",
        "url": "http://127.0.0.1:9001/tally/r/mY59xq?id_siae=1&ref=Wk_MYVJ-ivG",
        "link": "http://127.0.0.1:9000/exports/eyJhbGci.eyJhdWQi.DN_8J-7",
    }

    shown = Demo(9000, {}).shown(answer)

    assert '"sentAt": "…"' in shown
    assert '"message": "Déjà fait le …."' in shown
    assert "http://127.0.0.1:8001/tally/r/mY59xq?id_siae=1&ref=…" in shown
    assert '"link": "http://127.0.0.1:8000/exports/…"' in shown


def test_what_fits_on_a_line_stays_on_it():
    wide = {"nodes": [{"name": "x" * 60}, {"name": "y" * 60}], "empty": [], "nothing": None}

    shown = pretty(wide)

    assert shown.splitlines() == [
        "{",
        '  "nodes": [',
        f'    {{"name": "{"x" * 60}"}},',
        f'    {{"name": "{"y" * 60}"}}',
        "  ],",
        '  "empty": [],',
        '  "nothing": null',
        "}",
    ]
