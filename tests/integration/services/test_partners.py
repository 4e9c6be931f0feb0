"""Machine clients: entered with what they may see, signed in by their secrets, replaced and revoked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from models import PartnerClient, PartnerSecret
from models.database import fetch_all
from models.enums import PartnerScope
from services.partners import Credentials, PartnerRefused, authenticate, list_partners, register, replace_secret, revoke
from tests.conftest import NOW
from tests.factories import make_company, make_partner_client

pytestmark = pytest.mark.usefixtures("database")

BOTH = [PartnerScope.READ_APPOINTMENTS, PartnerScope.READ_PARTICIPATIONS]
A_DAY = timedelta(days=1)


async def registered(**values: Any) -> Credentials:
    company = await make_company()
    arguments: dict[str, Any] = {"scopes": BOTH, "sirets": [company.siret], "now": NOW}
    return await register("Logiciel Inventé", **(arguments | values))


async def test_a_client_is_entered_with_its_scopes_and_companies():
    companies = [await make_company(), await make_company()]
    await make_company()

    credentials = await register(
        " Logiciel Inventé ",
        scopes=[PartnerScope.READ_APPOINTMENTS],
        sirets=[company.siret for company in companies],
        now=NOW,
    )

    client = await PartnerClient.get(subject=credentials.client_id)
    assert (client.name, client.scopes) == ("Logiciel Inventé", ["appointments:read"])
    assert {company.id for company in await client.companies.all()} == {company.id for company in companies}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"scopes": []}, "a scope and a company"),
        ({"sirets": []}, "a scope and a company"),
        ({"sirets": ["90210001500012", "90210001500020"]}, "SIRET 90210001500012, 90210001500020: no company"),
    ],
)
async def test_a_client_that_could_see_nothing_is_not_entered(wrong: dict[str, Any], sentence: str):
    with pytest.raises(PartnerRefused, match=sentence):
        await registered(**wrong)

    assert await PartnerClient.all().count() == 0


async def test_a_client_needs_a_name():
    with pytest.raises(PartnerRefused, match="name: empty"):
        await register("  ", scopes=BOTH, sirets=["1"], now=NOW)


async def test_the_secret_opens_and_is_kept_nowhere():
    with capture_logs() as logs:
        credentials = await registered()

    signed_in = await authenticate(credentials.client_id, credentials.secret, now=NOW)

    assert signed_in is not None
    assert (signed_in.client_id, signed_in.scopes) == (credentials.client_id, {scope.value for scope in BOTH})
    [row] = await fetch_all("SELECT row_to_json(s)::text AS row FROM partner_secret s")
    assert credentials.secret not in row["row"] + str(logs) + repr(credentials)
    assert len(credentials.secret) >= 43
    assert (await PartnerSecret.get()).last_used_at == NOW


async def test_two_clients_have_different_secrets_and_none_opens_the_other():
    one, other = await registered(), await registered()

    assert one.secret != other.secret
    assert await authenticate(one.client_id, other.secret, now=NOW) is None


@pytest.mark.parametrize("client_id", ["", "nobody", "a\0b", "\ud800", "x" * 300, "' OR 1=1 --"])
async def test_whoever_is_not_there_is_not_let_in(client_id: str):
    credentials = await registered()

    assert await authenticate(client_id, credentials.secret, now=NOW) is None


@pytest.mark.parametrize("wrong", ["", "{:.10}", "{}x", " {}", "{}\0"])
async def test_a_wrong_secret_is_not_let_in(wrong: str):
    credentials = await registered()

    assert await authenticate(credentials.client_id, wrong.format(credentials.secret), now=NOW) is None


async def test_a_client_of_the_identity_provider_has_no_secret_here():
    client = await make_partner_client(await make_company())

    assert await authenticate(client.subject, "", now=NOW) is None


async def test_a_replaced_secret_ends_after_a_while_and_the_new_one_stays():
    old = await registered()

    new = await replace_secret(old.client_id, keep_others_for=A_DAY, now=NOW)

    opens = [
        [await authenticate(each.client_id, each.secret, now=at) is not None for each in (old, new)]
        for at in (NOW, NOW + A_DAY - timedelta(seconds=1), NOW + A_DAY)
    ]
    assert opens == [[True, True], [True, True], [False, True]]


async def test_replacing_again_does_not_prolong_the_first_secret():
    first = await registered()
    await replace_secret(first.client_id, keep_others_for=A_DAY, now=NOW)

    await replace_secret(first.client_id, keep_others_for=timedelta(days=30), now=NOW)

    assert await authenticate(first.client_id, first.secret, now=NOW + A_DAY) is None


async def test_a_revoked_client_is_let_in_no_more_and_gets_no_other_secret():
    credentials = await registered()

    assert await revoke(credentials.client_id, now=NOW)

    assert await authenticate(credentials.client_id, credentials.secret, now=NOW) is None
    assert not await revoke(credentials.client_id, now=NOW)
    with pytest.raises(PartnerRefused, match="revoked for good"):
        await replace_secret(credentials.client_id, keep_others_for=A_DAY, now=NOW)


async def test_nobody_can_be_revoked_or_renewed_who_is_not_there():
    assert not await revoke("nobody", now=NOW)
    with pytest.raises(PartnerRefused, match='client "nobody": there is none'):
        await replace_secret("nobody", keep_others_for=A_DAY, now=NOW)


async def test_the_list_tells_what_each_may_see_and_when_it_was_last_here():
    used, revoked = await registered(), await registered(now=NOW + A_DAY)
    await replace_secret(used.client_id, keep_others_for=A_DAY, now=NOW)
    await authenticate(used.client_id, used.secret, now=NOW + timedelta(hours=1))
    await revoke(revoked.client_id, now=NOW + 2 * A_DAY)

    first, second = await list_partners(now=NOW + timedelta(hours=2))

    assert (first.client_id, first.secrets, first.last_used_at) == (used.client_id, 2, NOW + timedelta(hours=1))
    assert (first.scopes, len(first.sirets), first.revoked_at) == (
        ("appointments:read", "participations:read"),
        1,
        None,
    )
    assert (second.client_id, second.revoked_at) == (revoked.client_id, NOW + 2 * A_DAY)
