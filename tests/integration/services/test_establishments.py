"""Establishments at the pace that INSEE allows, whoever asks."""

from __future__ import annotations

import asyncio

import pytest
import redis.asyncio

from clients.errors import ErrorCode, PartnerUnavailable
from clients.sirene import Establishment
from services.pacing import PostgresPacer
from tests.factories import make_siret
from tests.integration.register import faked_register
from tests.unit.clients.sirene import KEY_CONFIG

QUESTIONS = 31


@pytest.mark.usefixtures("database")
async def test_of_31_people_who_ask_at_once_those_beyond_the_pace_are_told_so_within_seconds(
    valkey: redis.asyncio.Redis,
):
    async with faked_register(valkey, pacer=PostgresPacer(KEY_CONFIG.pace_rates())) as register:
        sirets = [make_siret() for _ in range(QUESTIONS)]
        for siret in sirets:
            register.know(siret)

        async with asyncio.timeout(8):
            answers = await asyncio.gather(
                *(register.establishments.by_siret.one(siret) for siret in sirets), return_exceptions=True
            )

        found = [answer for answer in answers if not isinstance(answer, BaseException)]
        refused = [answer for answer in answers if isinstance(answer, PartnerUnavailable)]
        assert len(found) + len(refused) == QUESTIONS
        assert {error.code for error in refused} == {ErrorCode.BUSY}
        assert all(isinstance(answer.value, Establishment) for answer in found)
        # 25 a minute are one each 2.4 seconds.
        assert 1 <= len(register.asked) <= 3
        assert len(found) == len(register.asked)
