"""Every partner fails at once, in several ways; then they are well again, and nobody does anything about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import orjson

from benchmarks.faults.figures import Figures
from benchmarks.faults.kills import announcing
from benchmarks.faults.load import ask, readers
from benchmarks.faults.people import QUERY, SECRETS, due_approval, people_of_appointments
from benchmarks.faults.stage import Stopwatch, Theatre, leaks
from models import Approval
from models.enums import NotificationStatus
from sandbox.cast import COMPANIES
from sandbox.data_inclusion import settings as data_inclusion
from sandbox.sirene import settings as sirene

_UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
# Longer than a breaker stays open, twice: a probe may come a moment too early.
_WELL_AGAIN_WITHIN_SECONDS = 120.0
_PARTNERS = ("france-travail", "ban", "geo", "sirene", "data-inclusion")
_FAULTS: Sequence[dict[str, Any]] = (
    {"status": 503, "body": "maintenance"},
    {"status": 429, "body": {"message": "Trop de requêtes"}, "headers": {"Retry-After": "1"}},
    {"status": 200, "body": "<html>not what was asked for</html>"},
    {"disconnect": True},
)
# What is asked of each partner but France Travail, which hears of approvals.
_LOOK_UPS = (
    '{ addressSuggestions(text: "6 rue Fictive") { label } }',
    '{ geocode(address: "6 rue Fictive", postCode: "75010") { __typename } }',
    f'{{ establishment(siret: "{COMPANIES[0].siret}") {{ __typename }} }}',
    '{ inclusionStructures(filter: {departmentCode: "57"}, first: 3) { edges { node { name } } } }',
)


async def storm(theatre: Theatre, *, rounds: int, approvals: int) -> Figures:
    """All fail: what needs none of them is answered, what needs them says so in time, and all recover by themselves."""
    async with theatre.stage("partners") as stage:
        bookings = await people_of_appointments(events=5)
        sandbox = await stage.start_sandbox()
        settings = _settings(sandbox)
        _, port = await stage.start_api(settings=settings)
        due = [await due_approval(place) for place in range(approvals)]
        async with httpx.AsyncClient(base_url=sandbox, trust_env=False) as control:
            await _break_all(control)
            await stage.start_worker(settings)
            async with readers(port, bookings.token, QUERY, number=2, pause=0.05) as asked:
                told = [await _look_up(port, bookings.token, query) for _ in range(rounds) for query in _LOOK_UPS]
                announced_in_vain = await _announced()
                (await control.delete("/_faults")).raise_for_status()
                since = Stopwatch()
                await _all_look_ups_answer(port, bookings.token)
                await _all_are_announced()
                recovery = since.seconds
            calls = (await control.get("/_calls", params={"summary": "1", "path": _UPDATE_PATH})).json()
        taken = [calls["codes_by_subject"].get(approval.number, {}).get("S000", 0) for approval in due]
        untold = [answer.text for answer in told if not answer.is_told]
        return Figures(
            fault=f"every partner fails at once ({len(_FAULTS)} ways)",
            tries=len(told) + len(due),
            lost=len(untold) + len(asked.failures) + taken.count(0) + announced_in_vain,
            doubled=sum(each > 1 for each in taken),
            leaked=leaks(
                logs=stage.logs(), answers=[*asked.failures, *(answer.text for answer in told)], secrets=SECRETS
            ),
            recovery_seconds=recovery,
            besides=f"the longest answer without a partner took {max(answer.seconds for answer in told):.1f} s;"
            f" {asked.answered:,} reads of what is here went on, the longest {asked.longest * 1000:.0f} ms"
            + (f"; told otherwise: {untold[0][:200]}" if untold else ""),
        )


class _Answer:
    def __init__(self, status: int, body: bytes, seconds: float) -> None:
        self.text = body.decode(errors="replace")
        self.seconds = seconds
        self._status = status

    @property
    def is_told(self) -> bool:
        """Whether the client was told that a partner is away, by a member of a union or an error's code."""
        return self._status == 200 and any(word in self.text for word in ("PartnerUnavailable", "PARTNER_UNAVAILABLE"))

    @property
    def is_good(self) -> bool:
        is_wrong = self.is_told or "InvalidInput" in self.text or "errors" in orjson.loads(self.text)
        return self._status == 200 and not is_wrong


async def _look_up(port: int, token: str, query: str) -> _Answer:
    since = Stopwatch()
    status, body = await ask(port, token, query)
    return _Answer(status, body, since.seconds)


async def _break_all(control: httpx.AsyncClient) -> None:
    for partner in _PARTNERS:
        for fault in _FAULTS[:-1]:
            # One after the other, by chance: each call meets one of them.
            (await control.post("/_faults", json={"partner": partner, "probability": 0.4, **fault})).raise_for_status()
        (await control.post("/_faults", json={"partner": partner, **_FAULTS[-1]})).raise_for_status()


async def _announced() -> int:
    return await Approval.filter(pe_notification_status=NotificationStatus.SUCCESS).count()


async def _all_are_announced() -> None:
    async with asyncio.timeout(_WELL_AGAIN_WITHIN_SECONDS):
        while await Approval.exclude(pe_notification_status=NotificationStatus.SUCCESS).exists():  # noqa: ASYNC110 - a worker announces them
            await asyncio.sleep(0.1)


async def _all_look_ups_answer(port: int, token: str) -> None:
    async with asyncio.timeout(_WELL_AGAIN_WITHIN_SECONDS):
        for query in _LOOK_UPS:
            while not (await _look_up(port, token, query)).is_good:  # noqa: ASYNC110 - asking is what is tried
                await asyncio.sleep(0.2)


def _settings(sandbox: str) -> dict[str, str]:
    return {
        **announcing(sandbox),
        "BAN_BASE_URL": f"{sandbox}/ban",
        "API_GEO_BASE_URL": f"{sandbox}/geo",
        "SIRENE_BASE_URL": f"{sandbox}/sirene/api-sirene/3.11",
        "SIRENE_API_KEY": sirene.API_KEY,
        "DATA_INCLUSION_BASE_URL": f"{sandbox}/data-inclusion",
        "DATA_INCLUSION_TOKEN": data_inclusion.TOKEN,
    }
