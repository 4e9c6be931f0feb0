"""The sandbox's mail relay on a port of its own, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from clients.mail import MailConfig
from clients.mail_client import MailClient
from sandbox.app import Sandbox
from sandbox.clock import Clock
from sandbox.mail import MailSettings, SimulatedMailRelay

SENDER = "Plateforme de l'inclusion <ne-pas-repondre@traverse.exemple.test>"


@dataclass
class Relay:
    client: MailClient
    config: MailConfig
    http: httpx.AsyncClient

    async def mails(self) -> list[dict[str, Any]]:
        return (await self.http.get("/_mails")).json()


@asynccontextmanager
async def mail_relay() -> AsyncGenerator[Relay, None]:
    partner = SimulatedMailRelay(MailSettings(), Clock(), port=0)
    sandbox = Sandbox([partner], clock=Clock())
    await partner.start(sandbox.faults)
    assert partner.port is not None
    config = MailConfig(host="127.0.0.1", port=partner.port, sender=SENDER)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        yield Relay(MailClient(config), config, http)
    await partner.stop()
