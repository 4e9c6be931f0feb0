"""Every simulated partner below its own mount, and the control doors beside them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from sandbox.api_particulier import ApiParticulierSettings, SimulatedApiParticulier
from sandbox.ban import BanSettings, SimulatedBan
from sandbox.calls import CallLog
from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.data_inclusion import DataInclusionSettings, SimulatedDataInclusion
from sandbox.faults import FaultBoard
from sandbox.france_travail import FranceTravailSettings, SimulatedFranceTravail
from sandbox.geo import GeoSettings, SimulatedGeo
from sandbox.mail import MailSettings, SimulatedMailRelay
from sandbox.metabase import MetabaseSettings, SimulatedMetabase
from sandbox.partner import PartnerGuard, PartnerSettings, SimulatedPartner
from sandbox.rdv import simulate_rdv
from sandbox.sirene import SimulatedSirene, SireneSettings
from sandbox.tally import SimulatedTally, TallySettings


class Sandbox:
    """The ASGI application. `partners` gives tests in the same process a way in.

    Partners are dispatched here and not by Starlette's Mount: cutting a connection needs the server's own `send`, which
    Starlette's middleware would hide.
    """

    def __init__(self, partners: Sequence[SimulatedPartner[Any]], *, clock: Clock, seed: int = 0) -> None:
        self.partners: dict[str, SimulatedPartner[PartnerSettings]] = {partner.name: partner for partner in partners}
        self.calls = CallLog(clock)
        self.faults = FaultBoard([*self.partners], seed=seed)
        self._guards = {name: PartnerGuard(partner, self.calls, self.faults) for name, partner in self.partners.items()}
        self._control = Starlette(
            routes=Control(self.calls, self.faults, self.partners).routes(), lifespan=self._listening
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mount = scope["path"].split("/", 2)[1] if scope["type"] == "http" else ""
        guard = self._guards.get(mount)
        if guard is None:
            await self._control(scope, receive, send)
        else:
            await guard({**scope, "root_path": f"/{mount}"}, receive, send)

    @asynccontextmanager
    async def _listening(self, _: Starlette) -> AsyncGenerator[None, None]:
        """What a partner speaks besides HTTP is open while the server runs."""
        async with AsyncExitStack() as stack:
            for partner in self.partners.values():
                stack.push_async_callback(partner.stop)
                await partner.start(self.faults)
            yield


def create_app(
    *,
    france_travail: FranceTravailSettings | None = None,
    clock: Clock | None = None,
    seed: int = 0,
    smtp_port: int | None = None,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
) -> Sandbox:
    """A fresh sandbox with every partner. `seed` decides which calls meet faults of a probability below 1.

    `smtp_port`: where the mail relay listens while the sandbox runs as a server; None: nowhere. `webhook_transport`
    takes webhooks to a server in the same process.
    """
    clock = clock or Clock()
    partners: list[SimulatedPartner[Any]] = [
        SimulatedFranceTravail(france_travail or FranceTravailSettings(), clock),
        SimulatedApiParticulier(ApiParticulierSettings(), clock),
        SimulatedDataInclusion(DataInclusionSettings(), clock),
        SimulatedMetabase(MetabaseSettings(), clock),
        *simulate_rdv(clock, transport=webhook_transport),
        SimulatedTally(TallySettings(), clock, transport=webhook_transport),
        SimulatedBan(BanSettings(), clock),
        SimulatedGeo(GeoSettings(), clock),
        SimulatedSirene(SireneSettings(), clock),
        SimulatedMailRelay(MailSettings(), clock, port=smtp_port),
    ]
    return Sandbox(partners, clock=clock, seed=seed)
