"""What a real server writes while people's data are in addresses, headers, bodies and sockets: none of it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from demo.engines import Engines
from models.database import DatabaseConfig
from models.enums import UserKind
from tests.conftest import KEYS
from tests.e2e.processes import worker_environ
from tests.e2e.servers import serving
from tests.factories import make_user
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, token_for
from tests.security.test_personal_data_channels import NAME, PERSONAL, assert_silent

pytestmark = pytest.mark.e2e


@pytest.mark.usefixtures("valkey")
async def test_the_log_of_a_server_holds_nothing_of_what_was_asked(
    database: DatabaseConfig, engines: Engines, tmp_path: Path
) -> None:
    operator = await make_user(UserKind.STAFF, last_name=NAME, is_operator=True)
    log = tmp_path / "server.log"
    environ = worker_environ(
        database_url=database.url,
        redis_url=engines.redis_url,
        keys=KEYS,
        sandbox_url="http://127.0.0.1:1",
        AUTH_HS256_KEY=HS256_KEY,
        AUTH_ISSUER=ISSUER,
        AUTH_AUDIENCE=AUDIENCE,
        LOG_LEVEL="INFO",
    )

    async with serving(environ, log=log) as server:
        signed_in = await server.http.post("/ops/sign-in", data={"token": token_for(operator), "next": "/ops"})
        assert signed_in.status_code == 303
        for value in PERSONAL:
            escaped = quote(value)
            # Found, narrowed by it, and not there at all.
            assert (await server.http.get(f"/ops/notifications?label={escaped}")).status_code == 200
            assert (await server.http.get(f"/ops/webhooks/{escaped}")).status_code == 404
            assert (await server.http.get(f"/{escaped}?{escaped}={escaped}")).status_code == 404
            for body in ({"query": f'{{ approval(number: "{value}") {{ id }} }}'}, {"query": value}, {value: value}):
                answer = await server.http.post("/graphql", json=body, headers={"X-Request-Id": escaped})
                assert answer.status_code < 500
            report = {"csp-report": {"document-uri": f"https://x/{escaped}", "script-sample": value}}
            await server.http.post("/ops/csp-reports", content=json.dumps(report))
            await server.http.post("/webhooks/rdv-insertion", content=value.encode(), headers={"X-Signature": escaped})
            with pytest.raises(InvalidStatus):
                async with connect(f"{server.url.replace('http', 'ws')}/nowhere?name={escaped}", proxy=None):
                    pass

    written = log.read_text()
    assert "ops_signed_in" in written  # the log is the one of this server, and was written to
    assert_silent(written)
    assert quote(NAME) not in written
