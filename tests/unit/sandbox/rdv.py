"""What the tests of the simulated RDV-Insertion share: a receiver of webhooks, and the real client."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clients.rdv_insertion import Invitee, RDVInsertionClient, RDVInsertionConfig, Title, VerifiedBody, verify_webhook
from clients.tally import verify_tally_signature
from sandbox.app import Sandbox
from sandbox.rdv import SimulatedRDVInsertion, SimulatedRDVSolidarites
from sandbox.rdv.settings import AGENT_EMAIL, AGENT_PASSWORD, WEBHOOK_SECRET
from sandbox.tally.partner import WEBHOOK_SECRET as TALLY_SECRET
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.sandbox.conftest import SandboxTime

RDV_I = "http://sandbox/rdv-insertion/api/v1/"
INVITE = "/rdv-insertion/api/v1/organisations/651/users/create_and_invite"
SIGN_IN = "/rdv-solidarites/api/v1/auth/sign_in"
TARGET = "http://127.0.0.1:8000/webhooks/rdv-insertion"
TALLY_TARGET = "http://127.0.0.1:8000/webhooks/tally"
CONFIG = RDVInsertionConfig(
    base_url=RDV_I,
    rdv_solidarites_base_url="http://sandbox/rdv-solidarites/api/v1/",
    email=AGENT_EMAIL,
    password=AGENT_PASSWORD,
)
INVITEE = Invitee(
    first_name="Zélie",
    last_name="Fictive",
    title=Title.MADAME,
    email="zelie.fictive@exemple.test",
    phone_number="06 00 00 00 00",
    birth_date=date(1989, 5, 1),
    address="6 rue Imaginaire, 75010 Paris",
)


def person(last_name: str, **changes: Any) -> Invitee:
    return replace(INVITEE, last_name=last_name, email=f"{last_name.lower()}@exemple.test", **changes)


@dataclass
class Receiver:
    """A server that verifies what it is sent as ours does, and remembers what passed."""

    time: SandboxTime
    accepts_jwt: bool = False
    status: int = 200
    passed: list[VerifiedBody] = field(default_factory=list[VerifiedBody])
    tally_bodies: list[bytes] = field(default_factory=list[bytes])

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhooks/rdv-insertion", self._take, methods=["POST"]),
                Route("/webhooks/tally", self._take_tally, methods=["POST"]),
            ]
        )

    def transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.app())

    @property
    def events(self) -> list[tuple[str, str, int]]:
        """Model, event and number of what passed, in the order of arrival."""
        bodies: list[dict[str, Any]] = [orjson.loads(verified.content) for verified in self.passed]
        return [(each["meta"]["model"], each["meta"]["event"], each["data"]["id"]) for each in bodies]

    async def _take(self, request: Request) -> Response:
        verified = verify_webhook(
            await request.body(),
            signature=request.headers.get("x-rdvi-signature"),
            authorization=request.headers.get("authorization"),
            secrets=[WEBHOOK_SECRET],
            now=self.time.now + self.time.elapsed,
            accept_jwt=self.accepts_jwt,
        )
        if verified is None:
            return JSONResponse({"success": False}, status_code=401)
        self.passed.append(verified)
        return JSONResponse({"success": True}, status_code=self.status)

    async def _take_tally(self, request: Request) -> Response:
        body = await request.body()
        if not verify_tally_signature(body, request.headers.get("tally-signature"), [TALLY_SECRET]):
            return JSONResponse({"success": False}, status_code=401)
        self.tally_bodies.append(body)
        return JSONResponse({"success": True})


@dataclass
class RDV:
    """Both partners in process, the control doors, the client and the receiver."""

    http: httpx.AsyncClient
    client: RDVInsertionClient
    tokens: MemoryTokenStore
    receiver: Receiver
    insertion: SimulatedRDVInsertion
    solidarites: SimulatedRDVSolidarites

    async def send_to(self, target: str | None) -> None:
        await self.http.patch("/_settings", json={"partner": "rdv-insertion", "webhook_url": target})

    async def statuses(self, path: str) -> list[int]:
        return [call["status"] for call in (await self.http.get("/_calls", params={"path": path})).json()]

    async def invite(self, invitee: Invitee = INVITEE, organisation_id: int = 651) -> int:
        return (await self.client.create_and_invite(organisation_id, invitee)).user_id

    async def book(self, *user_ids: int, **wish: Any) -> dict[str, Any]:
        wish = {"organisation_id": 651, "user_ids": [*user_ids]} | wish
        answer = await self.http.post("/_rdv-insertion/appointments", json=wish)
        assert answer.status_code == 201, answer.text
        return answer.json()["appointment"]

    async def change(self, number: int, **change: Any) -> dict[str, Any]:
        answer = await self.http.patch(f"/_rdv-insertion/appointments/{number}", json=change)
        assert answer.status_code == 200, answer.text
        return answer.json()["appointment"]

    async def send(self, **sending: Any) -> httpx.Response:
        return await self.http.post("/_webhooks/rdv-insertion", json=sending)


def rdv_of(sandbox: Sandbox, http: httpx.AsyncClient, receiver: Receiver, **changes: Any) -> RDV:
    insertion, solidarites = sandbox.partners["rdv-insertion"], sandbox.partners["rdv-solidarites"]
    assert isinstance(insertion, SimulatedRDVInsertion)
    assert isinstance(solidarites, SimulatedRDVSolidarites)
    tokens = MemoryTokenStore()
    client = RDVInsertionClient(replace(CONFIG, **changes), http, tokens, RecordingPacer())
    return RDV(http, client, tokens, receiver, insertion, solidarites)
