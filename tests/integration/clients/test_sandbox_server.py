"""The sandbox as a server on loopback: what only a real connection shows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

import httpx
import pytest

from clients.errors import Delivery, PartnerUnavailable
from clients.france_travail import (
    FranceTravailClient,
    FranceTravailConfig,
    IdentityQuery,
    PassIaeUpdate,
    build_france_travail_http,
)
from clients.mail import Mail, MailConfig
from clients.mail_client import MailClient
from sandbox.app import create_app
from sandbox.cast import PEOPLE
from sandbox.clock import Clock
from sandbox.faults import FaultBoard
from sandbox.france_travail import FranceTravailSettings
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET
from sandbox.loopback import is_loopback
from sandbox.mail import MailSettings, SimulatedMailRelay
from sandbox.server import server_for
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer

UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
QUERY = IdentityQuery(
    last_name=PEOPLE[0].last_name,
    first_name=PEOPLE[0].first_name,
    birthdate=PEOPLE[0].birthdate,
    nir=PEOPLE[0].nir,
)


@dataclass(frozen=True)
class Running:
    """A sandbox that listens, its control doors and a client of its France Travail."""

    control: httpx.AsyncClient
    client: FranceTravailClient

    async def add_fault(self, **fault: object) -> None:
        (await self.control.post("/_faults", json={"partner": "france-travail", **fault})).raise_for_status()

    async def announce(self) -> None:
        await self.client.update_pass_iae(
            PassIaeUpdate(
                id_national=await self.client.search_identity(QUERY),
                approval_number="999990000017",
                start_at=date(2026, 1, 5),
                end_at=date(2028, 1, 4),
                siae_siret="90210000900019",
                siae_kind="EI",
                sender_kind="employer",
            )
        )

    async def accepted(self) -> int:
        summary = (await self.control.get("/_calls", params={"summary": "1"})).json()
        return summary["codes_by_subject"].get("999990000017", {}).get("S000", 0)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    server = server_for("127.0.0.1", 0, app=create_app(france_travail=FranceTravailSettings(rate_per_second=None)))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    base = f"http://127.0.0.1:{port}/france-travail"
    config = FranceTravailConfig(
        base_url=base, auth_base_url=base, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, timeout_seconds=0.5
    )
    async with (
        build_france_travail_http(config) as http,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as control,
    ):
        yield Running(control, FranceTravailClient(config, http, MemoryTokenStore(), RecordingPacer()))
    server.should_exit = True
    await serving


async def test_a_connection_cut_before_the_act_is_unknown_to_the_caller_and_nothing_was_accepted(running: Running):
    await running.add_fault(path=UPDATE_PATH, disconnect=True, times=1)

    with pytest.raises(PartnerUnavailable) as caught:
        await running.announce()

    assert (caught.value.code, caught.value.http_status) == ("http_error", None)
    assert caught.value.delivery is Delivery.UNKNOWN
    assert await running.accepted() == 0


async def test_a_connection_cut_after_the_act_looks_the_same_to_the_caller_and_was_accepted(running: Running):
    await running.add_fault(path=UPDATE_PATH, disconnect=True, when="after", times=1)

    with pytest.raises(PartnerUnavailable) as caught:
        await running.announce()

    assert caught.value.delivery is Delivery.UNKNOWN
    assert await running.accepted() == 1


async def test_after_a_cut_the_next_call_goes_through_on_a_new_connection(running: Running):
    await running.add_fault(path=UPDATE_PATH, disconnect=True, times=1)
    with pytest.raises(PartnerUnavailable):
        await running.announce()

    await running.announce()

    assert await running.accepted() == 1


async def test_an_answer_slower_than_the_deadline_is_unknown_to_the_caller(running: Running):
    await running.add_fault(path=UPDATE_PATH, delay_s=1, times=1)

    with pytest.raises(PartnerUnavailable) as caught:
        await running.announce()

    assert (caught.value.code, caught.value.delivery) == ("http_error", Delivery.UNKNOWN)


async def test_an_answer_that_drips_ends_at_the_deadline_and_not_with_the_next_byte(running: Running):
    await running.add_fault(path=UPDATE_PATH, drip_s=0.02, times=1)

    with pytest.raises(PartnerUnavailable) as caught:
        await running.announce()

    assert (caught.value.code, caught.value.http_status) == ("http_error", 200)


async def test_an_answer_that_drips_is_whole_for_who_waits(running: Running):
    await running.control.post("/_faults", json={"partner": "geo", "drip_s": 0.001})

    response = await running.control.get("/geo/communes/57463", params={"fields": "nom"})

    assert response.json() == {"nom": "Metz", "code": "57463"}


async def test_mails_are_taken_on_a_port_of_their_own_as_long_as_the_server_runs():
    sandbox = create_app(smtp_port=0)
    relay = sandbox.partners["smtp"]
    assert isinstance(relay, SimulatedMailRelay)
    server = server_for("127.0.0.1", 0, app=sandbox)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.005)
    port = relay.port
    assert port is not None
    client = MailClient(MailConfig(host="127.0.0.1", port=port, sender="a@exemple.test"))

    await client.send(Mail(key="k1", recipient="b@exemple.test", subject="Bonjour", text="Bonjour"))

    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=base, trust_env=False) as control:
        mails = (await control.get("/_mails")).json()
    server.should_exit = True
    await serving
    assert [mail["subject"] for mail in mails] == ["Bonjour"]
    assert relay.port is None


async def test_a_taken_mail_port_stops_the_start_with_a_sentence():
    first = SimulatedMailRelay(MailSettings(), Clock(), port=0)
    await first.start(FaultBoard(["smtp"]))

    with pytest.raises(RuntimeError, match=f"port {first.port}: taken"):
        await SimulatedMailRelay(MailSettings(), Clock(), port=first.port).start(FaultBoard(["smtp"]))

    await first.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "partner.example", ""])  # noqa: S104 - refused
def test_the_server_refuses_an_address_that_others_could_reach(host: str):
    with pytest.raises(ValueError, match="lets anyone break its partners"):
        server_for(host, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_has_several_names(host: str):
    assert is_loopback(host)
