"""Who a partner is, is verified before anything is said to it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clients.answers import json_answer
from clients.errors import Delivery, PartnerUnavailable
from clients.http import PartnerHTTP, PartnerRequest, build_http_client
from clients.shapes import Shape
from tests.integration.clients.loopback import POLICY

READ = json_answer(Shape(dict[str, int]))
ROOT = Path(__file__).parent.parent.parent.parent
SECRET = "Bearer of-a-partner"


@dataclass
class Impostor:
    """A server with a certificate that nobody vouches for. `heard`: what was said to it beyond the handshake."""

    url: str = ""
    heard: list[bytes] = field(default_factory=list[bytes])


def certificate(folder: Path, *, name: str, days: int) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    alternative: x509.GeneralName = (
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + timedelta(days=min(days, 0) - 1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "impostor.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@asynccontextmanager
async def impostor(context: ssl.SSLContext) -> AsyncGenerator[Impostor]:
    made = Impostor()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.heard.append(await reader.read(1_000))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    made.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("name", "days"),
    [("127.0.0.1", 30), ("127.0.0.1", -1), ("api.exemple.test", 30)],
    ids=["nobody vouches", "expired", "of another host"],
)
async def test_a_certificate_that_proves_nothing_ends_the_call_before_anything_is_said(
    tmp_path: Path, name: str, days: int
):
    async with (
        impostor(certificate(tmp_path, name=name, days=days)) as partner,
        build_http_client(partner.url, headers={"Authorization": SECRET}) as http,
    ):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.post("/individu", json={"nir": "invented"})

    assert not [said for said in partner.heard if said]


async def test_for_its_caller_such_a_partner_is_away_and_was_told_nothing(tmp_path: Path):
    async with (
        impostor(certificate(tmp_path, name="127.0.0.1", days=30)) as address,
        build_http_client(address.url) as http,
    ):
        partner = PartnerHTTP("partner", http, POLICY)
        with pytest.raises(PartnerUnavailable) as caught:
            await partner.call("get_thing", PartnerRequest(method="POST", url="/things", json={"a": 1}), READ)

    assert caught.value.delivery is Delivery.NOT_SENT
    assert "127.0.0.1" not in str(caught.value)


# Who makes connections of their own. Mails have a context with every check, tested beside their client.
CONNECTORS: Mapping[str, str] = {"clients/transport.py": "httpx", "clients/mail.py": "ssl"}
_CONNECTS = re.compile(
    r"AsyncHTTPTransport\(|httpx\.(?:Async)?Client\(|aiohttp|urllib\.request|requests\.(?:get|post|Session)\(|verify=False|CERT_NONE"
    r"|check_hostname ?= ?False|_create_unverified"
)


def test_nothing_else_speaks_to_partners_and_nothing_turns_verification_off():
    packages = ("clients", "services", "jobs", "resolvers", "schema", "webhooks", "ops", "execution", "telemetry")
    files = [*ROOT.glob("*.py"), *(path for package in packages for path in (ROOT / package).rglob("*.py"))]
    assert len(files) > 200

    found = {
        f"{path.relative_to(ROOT)}: {match}"
        for path in files
        if str(path.relative_to(ROOT)) not in CONNECTORS
        for match in _CONNECTS.findall(path.read_text(encoding="utf-8"))
    }

    assert not found
