"""Mails over real sockets: to the sandbox's relay, and to servers that behave badly."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs

from clients.breaker import BreakerPolicy
from clients.errors import Delivery, PartnerError, PartnerRejected, PartnerUnavailable
from clients.mail import Mail, MailConfig, MailConfigurationError, Security, normalise_address
from clients.mail_client import MailClient
from clients.observer import CallOutcome
from sandbox.app import Sandbox
from sandbox.clock import Clock
from sandbox.mail import MailSettings, SimulatedMailRelay
from tests.unit.clients.doubles import RecordingObserver

SENDER = "Plateforme de l'inclusion <ne-pas-repondre@traverse.exemple.test>"
MAIL = Mail(
    key="5d0b6c1e-diagoriente",
    recipient="camille.inventee@exemple.test",
    subject="Créer un CV avec Diagoriente",
    text="Bonjour Madame INVENTÉE,\n\n.une ligne qui commence par un point\n" + "long " * 400,
    html="<p>Bonjour Madame <b>INVENTÉE</b></p>",
)
PERSONAL = ("camille", "inventee", "INVENTÉE", "Diagoriente", "mot de passe")
NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Relay:
    """The sandbox's relay, listening, and a client of it."""

    sandbox: Sandbox
    partner: SimulatedMailRelay
    http: httpx.AsyncClient
    config: MailConfig
    observer: RecordingObserver

    def client(self, **changes: Any) -> MailClient:
        return MailClient(replace(self.config, **changes), observer=self.observer, now=lambda: NOW)

    async def mails(self, **query: str) -> list[dict[str, Any]]:
        return (await self.http.get("/_mails", params=query)).json()

    async def error_of(self, mail: Mail = MAIL, **changes: Any) -> PartnerError:
        with pytest.raises(PartnerError) as caught:
            await self.client(**changes).send(mail)
        return caught.value


@asynccontextmanager
async def relay(*, tls: ssl.SSLContext | None = None, **settings: Any) -> AsyncGenerator[Relay, None]:
    partner = SimulatedMailRelay(MailSettings(**settings), Clock(), port=0, tls=tls)
    sandbox = Sandbox([partner], clock=Clock())
    await partner.start(sandbox.faults)
    assert partner.port is not None
    config = MailConfig(host="127.0.0.1", port=partner.port, sender=SENDER)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        yield Relay(sandbox, partner, http, config, RecordingObserver())
    await partner.stop()


@asynccontextmanager
async def server_that(behaves: Handler, **changes: Any) -> AsyncGenerator[MailClient, None]:
    """A client of a server on loopback whose every connection is handled so."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await behaves(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    config = MailConfig(host="127.0.0.1", port=server.sockets[0].getsockname()[1], sender=SENDER, **changes)
    yield MailClient(config)
    server.close()
    await server.wait_closed()


def script(*replies: bytes) -> Handler:
    """Greets with the first reply, answers each line with the next one, and ends when there is none left."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, reply in enumerate(replies):
            if number:
                await reader.readuntil(b"\r\n")
            writer.write(reply + b"\r\n")
            await writer.drain()

    return behave


async def error_of(client: MailClient, mail: Mail = MAIL) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await client.send(mail)
    return caught.value


async def test_a_mail_arrives_with_both_of_its_texts():
    async with relay() as smtp:
        await smtp.client().send(MAIL)

        (mail,) = await smtp.mails()
    assert (mail["sender"], mail["recipients"]) == (
        "ne-pas-repondre@traverse.exemple.test",
        ["camille.inventee@exemple.test"],
    )
    assert mail["subject"] == "Créer un CV avec Diagoriente"
    assert mail["text"].replace("\r\n", "\n").rstrip("\n") == MAIL.text.rstrip("\n")
    assert mail["html"].strip() == MAIL.html
    assert mail["headers"]["From"] == SENDER
    assert mail["headers"]["To"] == "camille.inventee@exemple.test"
    assert mail["headers"]["Message-ID"] == "<5d0b6c1e-diagoriente@traverse.exemple.test>"
    assert mail["headers"]["Auto-Submitted"] == "auto-generated"
    assert mail["headers"]["Date"] == "Mon, 02 Mar 2026 09:15:00 +0000"
    assert smtp.observer.outcomes == [CallOutcome.OK]


async def test_a_mail_without_html_is_plain_text():
    async with relay() as smtp:
        await smtp.client().send(replace(MAIL, html=None))

        (mail,) = await smtp.mails()
    assert mail["html"] is None
    assert mail["headers"]["Content-Type"].startswith("text/plain")


async def test_the_same_mail_sent_again_bears_the_same_message_id():
    async with relay() as smtp:
        await smtp.client().send(MAIL)
        await smtp.client().send(MAIL)

        mails = await smtp.mails(recipient="camille.inventee@exemple.test")
    assert len(mails) == 2
    assert len({mail["headers"]["Message-ID"] for mail in mails}) == 1


async def test_many_mails_at_once_all_arrive_on_a_few_connections():
    async with relay() as smtp:
        client = smtp.client()
        await asyncio.gather(*(client.send(replace(MAIL, key=f"k{number}")) for number in range(40)))

        mails = await smtp.mails()
    assert len({mail["headers"]["Message-ID"] for mail in mails}) == 40


async def test_a_relay_that_wants_credentials_gets_them_and_takes_the_mail():
    async with relay(username="envoi", password="mot de passe à accent") as smtp:
        await smtp.client(username="envoi", password="mot de passe à accent").send(MAIL)

        assert len(await smtp.mails()) == 1


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        ({"username": "envoi", "password": "bon"}, {"username": "envoi", "password": "mot de passe faux"}, "535"),
        ({"username": "envoi", "password": "bon"}, {}, "530"),
        ({}, {"username": "envoi", "password": "mot de passe"}, None),
        ({}, {"security": Security.STARTTLS}, None),
    ],
    ids=["wrong password", "no password", "no authentication offered", "no encryption offered"],
)
async def test_what_is_wrong_with_our_settings_rejects_no_mail(
    settings: dict[str, Any], changes: dict[str, Any], code: str | None
):
    async with relay(**settings) as smtp:
        error = await smtp.error_of(**changes)

        assert isinstance(error, MailConfigurationError)
        assert (error.code, error.delivery) == (code, Delivery.NOT_SENT)
        assert await smtp.mails() == []


@pytest.mark.parametrize(
    ("local_part", "kind", "code", "delivery"),
    [
        ("inconnu", PartnerRejected, "550", Delivery.REFUSED),
        ("contenu", PartnerRejected, "554", Delivery.REFUSED),
        ("occupe", PartnerUnavailable, "450", Delivery.REFUSED),
        ("coupe", PartnerUnavailable, "http_error", Delivery.UNKNOWN),
    ],
)
async def test_each_refusal_has_its_outcome(local_part: str, kind: type[PartnerError], code: str, delivery: Delivery):
    async with relay() as smtp:
        error = await smtp.error_of(replace(MAIL, recipient=f"{local_part}@exemple.test"))

        assert type(error) is kind
        assert (error.partner, error.operation, error.code) == ("smtp", "send_mail", code)
        assert error.delivery is delivery
        assert len(await smtp.mails()) == (1 if local_part == "coupe" else 0)


@pytest.mark.parametrize(
    ("fault", "code", "delivery", "kept"),
    [
        ({"status": 451}, "451", Delivery.REFUSED, 0),
        ({"status": 552}, "552", Delivery.REFUSED, 0),
        ({"disconnect": True}, "http_error", Delivery.UNKNOWN, 0),
        ({"disconnect": True, "when": "after"}, "http_error", Delivery.UNKNOWN, 1),
    ],
)
async def test_faults_on_demand_reach_mails_as_well(fault: dict[str, Any], code: str, delivery: Delivery, kept: int):
    async with relay() as smtp:
        await smtp.http.post("/_faults", json={"partner": "smtp", "times": 1, **fault})

        error = await smtp.error_of()

        assert (error.code, error.delivery) == (code, delivery)
        assert len(await smtp.mails()) == kept
        await smtp.client().send(MAIL)


async def test_a_relay_that_is_slow_to_answer_is_ended_by_the_deadline_with_an_unknown_outcome():
    async with relay() as smtp:
        await smtp.http.post("/_faults", json={"partner": "smtp", "delay_s": 60})

        error = await smtp.error_of(timeout_seconds=0.2)

        assert (error.code, error.delivery) == ("http_error", Delivery.UNKNOWN)


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@b@c",
        "@exemple.test",
        "a b@exemple.test",
        "a@exemple.test\r\nRCPT TO:<b@exemple.test>",
        "a@exemple.test, b@exemple.test",
        "é@exemple.test",
        ".a@exemple.test",
        "a..b@exemple.test",
        "a@-exemple-.test",
        "a" * 65 + "@exemple.test",
        "a@" + "b" * 64 + ".test",
        "a@exemple..test",
    ],
)
async def test_what_is_no_address_is_refused_before_any_connection(recipient: str):
    async with relay() as smtp:
        error = await smtp.error_of(replace(MAIL, recipient=recipient))

        assert isinstance(error, PartnerRejected)
        assert (error.code, error.delivery) == ("invalid_recipient", Delivery.NOT_SENT)
        assert await smtp.mails() == []


def test_an_accented_domain_is_written_in_ascii():
    assert normalise_address(" Camille@Élan.test ") == "Camille@xn--lan-9la.test"


@pytest.mark.parametrize("subject", ["a\r\nBcc: b@exemple.test", "a\nb", "a\n", "a\u2028b"])
async def test_a_subject_of_several_lines_is_refused(subject: str):
    async with relay() as smtp:
        with pytest.raises(ValueError, match="one line"):
            await smtp.client().send(replace(MAIL, subject=subject))

        assert await smtp.mails() == []


async def test_nobody_listening_is_certainly_not_sent_and_opens_the_breaker():
    async with relay() as smtp:
        client = smtp.client(breaker=BreakerPolicy(failures=2, open_seconds=30))
    errors = [await error_of(client) for _ in range(3)]

    assert {error.delivery for error in errors} == {Delivery.NOT_SENT}
    assert [error.code for error in errors] == ["http_error", "http_error", "breaker_open"]
    assert client.breaker_states() == {"send_mail": "open"}


@pytest.mark.parametrize("local_part", ["inconnu", "occupe", "contenu"])
async def test_refused_mails_do_not_open_the_breaker(local_part: str):
    async with relay() as smtp:
        client = smtp.client(breaker=BreakerPolicy(failures=1))
        await error_of(client, replace(MAIL, recipient=f"{local_part}@exemple.test"))

        await client.send(MAIL)


@pytest.mark.parametrize(
    ("replies", "code", "delivery"),
    [
        ((), "http_error", Delivery.NOT_SENT),
        ((b"554 go away",), "554", Delivery.NOT_SENT),
        ((b"421 too busy",), "421", Delivery.REFUSED),
        ((b"220 hello",), "http_error", Delivery.NOT_SENT),
        ((b"220 hello", b"250 fine"), "http_error", Delivery.NOT_SENT),
        ((b"220 hello", b"250 fine", b"250 sender"), "http_error", Delivery.NOT_SENT),
        ((b"220 hello", b"250 fine", b"553 not you"), "553", Delivery.NOT_SENT),
        ((b"220 hello", b"250 fine", b"250 sender", b"250 recipient"), "http_error", Delivery.UNKNOWN),
        ((b"220 hello", b"250 fine", b"250 sender", b"250 recipient", b"451 later"), "451", Delivery.REFUSED),
        ((b"220 hello", b"250 fine", b"250 sender", b"250 recipient", b"354 go"), "http_error", Delivery.UNKNOWN),
        (
            (b"220 hello", b"250 fine", b"250 sender", b"250 recipient", b"250 what"),
            "unexpected_shape",
            Delivery.UNKNOWN,
        ),
        ((b"HTTP/1.1 400 Bad Request",), "unexpected_shape", Delivery.NOT_SENT),
    ],
)
async def test_wherever_a_session_ends_it_is_known_whether_the_mail_may_have_left(
    replies: tuple[bytes, ...], code: str, delivery: Delivery
):
    async with server_that(script(*replies)) as client:
        error = await error_of(client)

    assert isinstance(error, PartnerUnavailable)
    assert (error.code, error.delivery) == (code, delivery)


async def test_a_server_that_never_speaks_is_ended_by_the_deadline_of_the_connection():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    started = asyncio.get_running_loop().time()
    async with server_that(silent, connect_timeout_seconds=0.1) as client:
        error = await error_of(client)

    assert (error.code, error.delivery) == ("http_error", Delivery.NOT_SENT)
    assert asyncio.get_running_loop().time() - started < 2


async def test_a_mail_that_was_taken_is_sent_whatever_becomes_of_the_goodbye():
    replies = (b"220 hello", b"250 fine", b"250 sender", b"250 recipient", b"354 go")

    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await script(*replies)(reader, writer)
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 taken\r\n")
        await writer.drain()

    async with server_that(rude) as client:
        await client.send(MAIL)


async def test_a_mail_that_was_taken_is_sent_even_if_the_deadline_passes_during_the_goodbye():
    replies = (b"220 hello", b"250 fine", b"250 sender", b"250 recipient", b"354 go")

    async def never_says_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await script(*replies)(reader, writer)
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 taken\r\n")
        await reader.read()

    async with server_that(never_says_goodbye, timeout_seconds=0.3) as client:
        await client.send(MAIL)


async def test_a_caller_that_goes_away_frees_its_slot():
    async with relay() as smtp:
        client = smtp.client(max_concurrency=1)
        await smtp.http.post("/_faults", json={"partner": "smtp", "delay_s": 60, "times": 1})
        waiting = asyncio.create_task(client.send(MAIL))
        await asyncio.sleep(0.05)  # let it reach the relay
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        await client.send(MAIL)

        assert smtp.observer.outcomes == [CallOutcome.ABORTED, CallOutcome.OK]


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path):
    async with relay(tls=self_signed(tmp_path)) as smtp:
        error = await smtp.error_of(security=Security.TLS)

        assert (error.code, error.delivery) == ("http_error", Delivery.NOT_SENT)
        assert await smtp.mails() == []


@pytest.mark.parametrize("recipient", ["inconnu.camille@exemple.test", "inconnu@exemple.test", "coupe@exemple.test"])
async def test_nothing_of_the_mail_is_in_errors_or_logs(recipient: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    replies = (b"220 hello", b"250 fine", b"250 sender", f"550 no {recipient} here INVENTÉE".encode())

    async with server_that(script(*replies)) as client, relay() as smtp:
        with capture_logs() as logged:
            errors = [await error_of(client, replace(MAIL, recipient=recipient))]
            if not recipient.startswith("inconnu.camille"):
                errors.append(await smtp.error_of(replace(MAIL, recipient=recipient)))

    for error in errors:
        assert error.__cause__ is None
        assert error.__context__ is None
        told = f"{error} {error!r} {error.args} {logged} {caplog.text} {MAIL!r}"
        assert not any(piece in told for piece in (*PERSONAL, recipient))


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtps://envoi:mot%20de%20passe@relais.exemple.test", Security.TLS, 465),
        ("smtp+starttls://envoi:mot%20de%20passe@relais.exemple.test", Security.STARTTLS, 587),
        ("smtp+starttls://envoi:mot%20de%20passe@relais.exemple.test:2525/", Security.STARTTLS, 2525),
        ("smtp://envoi:mot%20de%20passe@relais.exemple.test:8002", Security.NONE, 8002),
    ],
)
def test_an_address_in_one_line_says_how_the_connection_is_protected(url: str, security: Security, port: int):
    config = MailConfig.from_url(url, sender=SENDER)

    assert (config.host, config.port, config.security) == ("relais.exemple.test", port, security)
    assert (config.username, config.password) == ("envoi", "mot de passe")
    assert "mot de passe" not in repr(config)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "relais.exemple.test",
        "https://u:secret@relais",
        "smtp://",
        "smtp://h:port",
        "smtp://h/x",
        "smtp://h?x=secret",
    ],
)
def test_any_other_address_is_refused_without_its_credentials(url: str):
    with pytest.raises(ValueError, match="mail address") as caught:
        MailConfig.from_url(url, sender=SENDER)

    assert "secret" not in str(caught.value)


def test_a_sender_that_is_no_address_stops_the_start():
    with pytest.raises(ValueError, match="mail sender"):
        MailClient(MailConfig(host="127.0.0.1", port=25, sender="La plateforme"))


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "relay.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
