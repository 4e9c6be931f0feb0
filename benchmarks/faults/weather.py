"""All ten partners in front of one deployment, and how all of them fail at once.

Two of them are never called: Tally only sends webhooks, and Diagoriente is a link in a mail. The relay of mails stands
for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.faults.kills import announcing
from benchmarks.processes import WEBHOOK_SECRET
from sandbox.api_particulier import settings as api_particulier
from sandbox.cast import COMPANIES
from sandbox.data_inclusion import settings as data_inclusion
from sandbox.metabase import settings as metabase
from sandbox.rdv import settings as rdv
from sandbox.sirene import settings as sirene

WAYS = ("hang", "500", "503 in HTML", "a cut line", "half a JSON")
INSIDES = "inside-of-a-partner"
"""What partners say of themselves in their faults: no answer and no log of ours may repeat it."""

_PARTNERS = (
    "france-travail",
    "api-particulier",
    "ban",
    "geo",
    "sirene",
    "data-inclusion",
    "rdv-solidarites",
    "rdv-insertion",
    "metabase",
)
# One for each of WAYS. None reaches the partner: it does not act on what it fails to answer.
_FAULTS: Sequence[Mapping[str, Any]] = (
    {"status": 504, "delay_s": 3_600},
    {"status": 500, "body": {"error": INSIDES}},
    {"status": 503, "body": f"<html>{INSIDES}</html>", "headers": {"Content-Type": "text/html", "Retry-After": "1"}},
    {"disconnect": True},
    {"status": 200, "body": f'{{"id": "{INSIDES}", "la', "headers": {"Content-Type": "application/json"}},
)
# The first two it does act on, and the answer is lost: the same invitation must not leave again. The third ends the
# session, and the next one is RDV-Solidarités' to give.
_INVITATIONS: Sequence[Mapping[str, Any]] = (
    {"status": 500, "when": "after", "times": 1},
    {"disconnect": True, "when": "after", "times": 1},
    {"status": 401, "body": {"errors": ["Identifiants de session invalides"]}, "times": 1},
)
# A mail may leave, and the relay's word for it be lost; the others are refused for now.
_MAILS: Sequence[Mapping[str, Any]] = (
    {"disconnect": True, "when": "after", "times": 1},
    {"status": 451, "probability": 0.5},
    {"status": 421},
)
_INVITE_PATH = "/api/v1/organisations/{organisation}/users/create_and_invite"


class Weather:
    """The faults of a running sandbox."""

    def __init__(self, control: httpx.AsyncClient) -> None:
        self._control = control

    async def tell_of_invitations_at(self, url: str) -> None:
        """RDV-Insertion sends its webhooks there, storm or not."""
        door = {"partner": "rdv-insertion", "webhook_url": url}
        (await self._control.patch("/_settings", json=door)).raise_for_status()

    async def break_all(self, *, organisation: int) -> None:
        """Every call to any partner fails from now on, by chance in one of all ways."""
        path = _INVITE_PATH.format(organisation=organisation)
        for fault in _INVITATIONS:
            await self._add("rdv-insertion", {**fault, "path": path})
        for fault in _MAILS:
            await self._add("smtp", fault)
        for partner in _PARTNERS:
            for place, fault in enumerate(_FAULTS):
                # The first that is drawn applies: so that all are equally likely, the last one is sure.
                await self._add(partner, {**fault, "probability": 1 / (len(_FAULTS) - place)})

    async def mend_all(self) -> None:
        (await self._control.delete("/_faults")).raise_for_status()

    async def partners_not_met(self) -> Sequence[str]:
        """Those that nobody called meanwhile, the relay among them."""
        faults: list[dict[str, Any]] = (await self._control.get("/_faults")).json()
        met = {fault["partner"] for fault in faults if fault["applied"]}
        return [f"{partner} was not called" for partner in (*_PARTNERS, "smtp") if partner not in met]

    async def _add(self, partner: str, fault: Mapping[str, Any]) -> None:
        (await self._control.post("/_faults", json={"partner": partner, **fault})).raise_for_status()


def settings_for(sandbox: str) -> Mapping[str, str]:
    """Settings of a deployment that has all partners, at a pace that only a sandbox bears."""
    relay_port = (urlsplit(sandbox).port or 0) + 1
    return MappingProxyType(
        {
            **announcing(sandbox),
            "API_PARTICULIER_BASE_URL": f"{sandbox}/api-particulier",
            "API_PARTICULIER_TOKEN": api_particulier.TOKEN,
            "API_PARTICULIER_RECIPIENT": COMPANIES[0].siret,
            "BAN_BASE_URL": f"{sandbox}/ban",
            "API_GEO_BASE_URL": f"{sandbox}/geo",
            "SIRENE_BASE_URL": f"{sandbox}/sirene/api-sirene/3.11",
            "SIRENE_API_KEY": sirene.API_KEY,
            "SIRENE_SEARCHES_PER_MINUTE": "1000",
            "DATA_INCLUSION_BASE_URL": f"{sandbox}/data-inclusion",
            "DATA_INCLUSION_TOKEN": data_inclusion.TOKEN,
            "RDV_SOLIDARITES_API_BASE_URL": f"{sandbox}/rdv-solidarites/api/v1/",
            "RDV_SOLIDARITES_EMAIL": rdv.AGENT_EMAIL,
            "RDV_SOLIDARITES_PASSWORD": rdv.AGENT_PASSWORD,
            "RDV_INSERTION_API_BASE_URL": f"{sandbox}/rdv-insertion/api/v1/",
            "RDV_INSERTION_MAX_RPS": "20",
            "RDV_INSERTION_WEBHOOK_SECRET": f"{WEBHOOK_SECRET},{rdv.WEBHOOK_SECRET}",
            "METABASE_SITE_URL": f"{sandbox}/metabase",
            "METABASE_SECRET_KEY": metabase.SECRET_KEY,
            "SMTP_URL": f"smtp://127.0.0.1:{relay_port}",
            "MAIL_FROM": "Traverse <ne-pas-repondre@traverse.exemple.test>",
            "PUBLIC_URL": "https://traverse.exemple.test",
            "TALLY_URL": f"{sandbox}/tally",
            "TALLY_FORM_POST_HIRING_EMPLOYER": "mY59xq",
        }
    )
