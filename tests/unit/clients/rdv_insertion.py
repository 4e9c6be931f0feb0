"""What the RDV-Insertion tests share: a client on a faked wire, and invented values."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import httpx
import orjson
import respx
from respx.models import Call

from clients.rdv_insertion import Invitee, RDVInsertionClient, RDVInsertionConfig, Title, build_rdv_insertion_http
from clients.token_store import TokenStore
from tests.unit.clients.doubles import ManualClock, MemoryTokenStore, RecordingObserver, RecordingPacer

RDV_I = "https://rdv-insertion.example/api/v1"
RDV_S = "https://rdv-solidarites.example/api/v1"
SIGN_IN_URL = f"{RDV_S}/auth/sign_in"
ORGANISATION = 654

# Every piece of personal data and every secret that a call handles: none may be told by an error or a log.
PERSONAL = ("Zélie", "Fictive", "zelie.fictive", "0600000000", "1989", "rue Imaginaire")
SECRETS = ("agent.technique@exemple.test", "mot-de-passe-fictif", "token-1", "client-1")

CONFIG = RDVInsertionConfig(
    base_url=f"{RDV_I}/",
    rdv_solidarites_base_url=f"{RDV_S}/",
    email="agent.technique@exemple.test",
    password="mot-de-passe-fictif",
)
INVITEE = Invitee(
    first_name="Zélie",
    last_name="Fictive",
    title=Title.MADAME,
    email="zelie.fictive@exemple.test",
    phone_number="0600000000",
    birth_date=date(1989, 5, 1),
    address="6 rue Imaginaire, 75010 Paris",
)
SMS = {"id": 4805, "format": "sms", "clicked": False, "delivery_status": None}
EMAIL = {
    "id": 4806,
    "format": "email",
    "clicked": False,
    "rdv_with_referents": False,
    "created_at": "2026-03-02T10:14:59.107+01:00",
    "delivery_status": None,
    "delivered_at": None,
    "expires_at": "2026-03-12T10:14:59.100+01:00",
    "motif_category": {"id": 16, "short_name": "siae_interview", "name": "Entretien SIAE"},
}
INVITED: dict[str, Any] = {
    "success": True,
    "user": {"id": 3432, "first_name": "Zélie", "last_name": "Fictive", "tags": []},
    "invitations": [SMS, EMAIL],
}


async def let_others_run() -> None:
    """A faked wire never waits: without this, twenty calls at once would be twenty calls one after the other."""
    for _ in range(50):
        await asyncio.sleep(0)


def invite_url(organisation_id: int = ORGANISATION) -> str:
    return f"{RDV_I}/organisations/{organisation_id}/users/create_and_invite"


def signed_in(number: int) -> httpx.Response:
    headers = {"access-token": f"token-{number}", "client": f"client-{number}", "uid": CONFIG.email}
    return httpx.Response(200, headers=headers, json={"data": {"id": 7}})


@dataclass(frozen=True)
class FakeRDV:
    """The routes, and a client that calls them. Tokens are numbered in the order of the sign-ins."""

    router: respx.MockRouter
    sign_in: respx.Route
    invite: respx.Route
    users: respx.Route
    client: RDVInsertionClient
    http: httpx.AsyncClient
    tokens: TokenStore
    pacer: RecordingPacer
    observer: RecordingObserver
    clock: ManualClock

    def other_process(self) -> RDVInsertionClient:
        """A client with memories of its own, and the same store."""
        return RDVInsertionClient(CONFIG, self.http, self.tokens, self.pacer, clock=self.clock)

    def tokens_used(self, route: respx.Route | None = None) -> Sequence[str]:
        calls = cast("list[Call]", (route or self.invite).calls)
        return [call.request.headers["access-token"] for call in calls]

    @property
    def invited_person(self) -> dict[str, Any]:
        return orjson.loads(self.invite.calls.last.request.content)["user"]


@asynccontextmanager
async def fake_rdv(tokens: TokenStore | None = None, **changes: Any) -> AsyncGenerator[FakeRDV, None]:
    """Everything goes well until a test says otherwise."""
    config = replace(CONFIG, **changes)
    numbers = iter(range(1, 1000))

    async def sign_in(_: httpx.Request) -> httpx.Response:
        await let_others_run()
        return signed_in(next(numbers))

    store, pacer, observer, clock = tokens or MemoryTokenStore(), RecordingPacer(), RecordingObserver(), ManualClock()
    with respx.mock(assert_all_called=False) as router:
        async with build_rdv_insertion_http(config) as http:
            yield FakeRDV(
                router=router,
                sign_in=router.post(SIGN_IN_URL).mock(side_effect=sign_in),
                invite=router.post(invite_url()).respond(200, json=INVITED),
                users=router.get(f"{RDV_I}/organisations/{ORGANISATION}/users").respond(200, json={"users": []}),
                client=RDVInsertionClient(config, http, store, pacer, observer=observer, clock=clock),
                http=http,
                tokens=store,
                pacer=pacer,
                observer=observer,
                clock=clock,
            )
