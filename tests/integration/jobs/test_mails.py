"""The doors of mails: the bell and the sweep lead to the relay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from jobs.context import WorkerContext
from jobs.mails import begin_sending, send_mail, send_mails
from models import Mail
from models.enums import MailState, MailTemplate
from services.mails import post
from tests.conftest import NOW
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.relay import Relay, mail_relay

pytestmark = pytest.mark.usefixtures("database")

PARAMETERS = {"greeting": "Madame INVENTÉE", "company": "Atelier", "link": "https://traverse.exemple.test"}


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with mail_relay() as relay:
        yield relay


@pytest.fixture
def context(worker: WorkerParts, relay: Relay) -> WorkerContext:
    return replace(worker.context, mail=relay.client)


async def posted() -> UUID:
    return await post(
        MailTemplate.DIAGORIENTE_JOB_SEEKER,
        uuid4(),
        recipient="personne@exemple.test",
        parameters=PARAMETERS,
        now=NOW,
    )


async def test_the_bell_sends_one_mail(context: WorkerContext, relay: Relay):
    mail_id = await posted()
    await posted()

    await send_mail(context, mail_id)
    await send_mail(context, mail_id)

    assert len(await relay.mails()) == 1


async def test_the_sweep_sends_what_no_bell_announced(context: WorkerContext, relay: Relay):
    await posted()
    await posted()

    await send_mails(context)
    await send_mails(context)

    assert len(await relay.mails()) == 2


async def test_without_a_relay_mails_wait(worker: WorkerParts):
    mail_id = await posted()

    await send_mail(worker.context, mail_id)
    await begin_sending(worker.context)
    await send_mails(worker.context)

    assert (await Mail.get(id=mail_id)).state is MailState.PENDING
