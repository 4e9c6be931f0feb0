"""Who is behind a connection: tokens, their end, rights that change, and traces of what was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.database import fetch_all
from models.enums import UserKind
from schema.streams.transports import TransportConfig
from tests.factories import make_company, make_membership, make_user
from tests.integration.schema.client import token_for
from tests.integration.streams.harness import DROPS, Server, ask, events, hear, hear_close, running, say, subscribe

pytestmark = pytest.mark.usefixtures("database")

NIR = "subscription { drops { name nir } }"


async def test_the_token_of_the_first_message_signs_in(server: Server):
    user = await make_user(kind=UserKind.STAFF)

    async with server.ready(token_for(user)) as client:
        assert await ask(client, "{ whoami }") == {"data": {"whoami": str(user.id)}}


@pytest.mark.parametrize("name", ["Authorization", "AUTHORIZATION"])
async def test_the_member_may_be_written_as_a_header_is(server: Server, name: str):
    user = await make_user(kind=UserKind.STAFF)

    async with server.socket() as client:
        await say(client, type="connection_init", payload={name: f"Bearer {token_for(user)}"})
        assert await hear(client) == {"type": "connection_ack"}
        assert await ask(client, "{ whoami }") == {"data": {"whoami": str(user.id)}}


async def test_the_header_of_the_handshake_signs_in_unless_the_message_does(server: Server):
    one, two = await make_user(kind=UserKind.STAFF), await make_user(kind=UserKind.STAFF)
    headers = {"Authorization": f"Bearer {token_for(one)}"}

    async with server.ready(additional_headers=headers) as by_header:
        assert await ask(by_header, "{ whoami }") == {"data": {"whoami": str(one.id)}}
    async with server.ready(token_for(two), additional_headers=headers) as by_both:
        assert await ask(by_both, "{ whoami }") == {"data": {"whoami": str(two.id)}}


async def test_a_client_without_a_token_is_nobody(server: Server):
    async with server.ready() as client:
        assert await ask(client, "{ whoami }") == {"data": {"whoami": None}}


async def test_viewers_of_the_same_event_never_share_an_answer(server: Server):
    users = [await make_user(kind=UserKind.STAFF) for _ in range(2)]
    async with (
        server.ready(token_for(users[0])) as one,
        server.ready(token_for(users[1])) as two,
        server.ready() as none,
    ):
        for client in (one, two, none):
            await subscribe(client, DROPS)
        await server.tap.is_heard_by(3)

        server.tap.emit("drop", key=("tap", 1))

        seen = [(await hear(client))["payload"]["data"]["drops"]["seenBy"] for client in (one, two, none)]
    assert seen == [str(users[0].id), str(users[1].id), "None"]


# -- the end of a token


def _expiring(user: Any, seconds: float) -> str:
    """A token whose end, to the second, is that near."""
    return token_for(user, now=datetime.now(UTC) - timedelta(hours=1), lifetime=timedelta(hours=1, seconds=seconds))


async def test_a_socket_ends_with_its_token():
    user = await make_user(kind=UserKind.STAFF)
    async with running(leeway=timedelta(0)) as server, server.ready(_expiring(user, 2)) as client:
        await subscribe(client, DROPS)

        code, reason = await hear_close(client)

        assert code == 4403
        assert reason.startswith("Token expired")
        await server.tap.is_heard_by(0)


async def test_an_event_stream_ends_with_its_token():
    user = await make_user(kind=UserKind.STAFF)
    async with running(leeway=timedelta(0)) as server, events(server, DROPS, _expiring(user, 2)) as stream:
        name, data = await stream.next()

        assert name == "next"
        assert data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await stream.next() == ("complete", None)
        await server.tap.is_heard_by(0)


async def test_a_token_that_has_ended_lets_nobody_in(server: Server):
    user = await make_user(kind=UserKind.STAFF)

    async with server.socket() as client:
        await say(client, type="connection_init", payload={"authorization": f"Bearer {_expiring(user, -120)}"})

        assert await hear_close(client) == (4403, "Forbidden: token: expired")


# -- rights that change while somebody listens


async def test_an_account_that_is_closed_hears_nothing_more(server: Server):
    user = await make_user(kind=UserKind.STAFF)
    async with server.ready(token_for(user)) as client, events(server, DROPS, token_for(user)) as stream:
        await subscribe(client, DROPS)
        await server.tap.is_heard_by(2)
        user.is_active = False
        await user.save()

        await server.transports.streams.check_rights()

        assert await hear_close(client) == (4403, "Account or membership ended: sign in again")
        assert (await stream.next())[1]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await server.tap.is_heard_by(0)


async def test_a_membership_that_ended_ends_its_streams(server: Server):
    user, company = await make_user(kind=UserKind.EMPLOYER), await make_company()
    membership = await make_membership(user, company)
    async with server.ready(token_for(user, company)) as client:
        membership.ended_at = datetime.now(UTC)
        await membership.save()

        await server.transports.streams.check_rights()

        assert (await hear_close(client))[0] == 4403


async def test_rights_that_changed_are_taken_up_by_coming_back(server: Server):
    user = await make_user(kind=UserKind.STAFF, is_operator=True)
    async with server.ready(token_for(user)) as client:
        user.is_operator = False
        await user.save()

        await server.transports.streams.check_rights()

        code, reason = await hear_close(client)
    assert code == 4403
    assert reason.startswith("Rights changed")


async def test_a_new_name_disturbs_nobody(server: Server):
    user = await make_user(kind=UserKind.STAFF)
    async with server.ready(token_for(user)) as client:
        user.first_name = "Grace"
        await user.save()

        await server.transports.streams.check_rights()

        assert await ask(client, "{ whoami }") == {"data": {"whoami": str(user.id)}}


async def test_rights_are_looked_up_again_and_again_without_being_asked_to():
    user = await make_user(kind=UserKind.STAFF)
    config = TransportConfig(rights_interval_seconds=0.05)
    async with running(config) as server, server.ready(token_for(user)) as client:
        user.is_active = False
        await user.save()

        assert (await hear_close(client))[0] == 4403


async def test_an_account_opens_only_so_many_streams():
    user, other = await make_user(kind=UserKind.STAFF), await make_user(kind=UserKind.STAFF)
    config = TransportConfig(most_streams_per_client=2)
    async with running(config) as server, server.ready(token_for(user)), server.ready(token_for(user)) as second:
        async with server.socket() as third:
            await say(third, type="connection_init", payload={"authorization": f"Bearer {token_for(user)}"})
            code, reason = await hear_close(third)
        assert code == 1013
        assert "too many streams of one client" in reason

        async with server.ready(token_for(other)):
            pass
        await second.close()
        await server.has_streams(1)
        async with server.ready(token_for(user)):
            pass


# -- traces


async def test_whoever_is_shown_a_number_is_written_down_even_if_the_answer_was_shared(server: Server):
    user = await make_user(kind=UserKind.STAFF)
    async with (
        server.ready(token_for(user)) as one,
        server.ready(token_for(user)) as two,
        events(server, NIR, token_for(user)) as stream,
    ):
        await subscribe(one, NIR)
        await subscribe(two, NIR)
        await server.tap.is_heard_by(3)

        server.tap.emit("drop", key=("tap", 1))
        for client in (one, two):
            await hear(client)
        await stream.next()

    rows = await fetch_all("SELECT viewer_id, field FROM access_log")
    assert [(row["viewer_id"], row["field"]) for row in rows] == [(user.id, "nir")] * 3
    assert server.transports.subscriptions.memo.computed == 1
