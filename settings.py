"""Everything that a deployment decides, read once from the environment.

A partner without settings is off. A wrong setting stops the start with one sentence that names the variable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_network
from itertools import chain
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from clients.mail import MailConfig, Security, normalise_address
from clients.tally import TallyForms, is_form_id
from execution.trusted.documents import TrustedDocuments
from execution.trusted.manifest import ManifestError, read_manifest
from models.encryption import KeyRing
from models.enums import UserKind
from models.identifiers import InvalidIdentifier, parse_siret

DEFAULT_DIAGORIENTE_URL = "https://diagoriente.beta.gouv.fr/services/plateforme"
_EMBEDDING_SECRET = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
DEVELOPMENT_KEY = "development-only-key-never-use-it-in-production"
# Whoever guesses it writes appointments into the database.
_SHORTEST_WEBHOOK_SECRET = 16
_SHORTEST_METRICS_TOKEN = 16


class SettingsError(Exception):
    """The environment cannot work. `str()` is one sentence a problem, each naming its variable."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Frozen; secrets never print themselves; durations are in seconds in the environment."""

    # A variable that is set to nothing, as compose files leave it, is not set.
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=None, env_ignore_empty=True, hide_input_in_errors=True
    )

    environment: Environment = Field(Environment.DEVELOPMENT, description="`development`, `test` or `production`")
    # Neither prints itself: both may hold a password.
    database_url: str = Field(
        "postgresql://postgres@localhost/traverse", repr=False, description="PostgreSQL 15 or later"
    )
    database_direct_url: str | None = Field(
        None,
        repr=False,
        description="the same database around a pooler of transactions (PgBouncer): for listening, and for migrations",
    )
    redis_url: str = Field(
        "redis://localhost:6379/0",
        repr=False,
        description="Valkey 7.2 or Redis 7: `redis://`, `rediss://` or `redis+sentinel://`",
    )
    secret_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_KEY), description="signs cursors and links; at least 32 characters"
    )
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="comma-separated base64 keys of 32 bytes that seal NIRs; the first seals, all open"
    )
    fingerprint_key: SecretStr | None = Field(
        None, description="base64, 32 bytes: NIRs are found by it; it never changes"
    )

    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the API listens on")
    http_keep_alive: timedelta = Field(
        timedelta(seconds=75),
        ge=timedelta(seconds=5),
        le=timedelta(hours=1),
        description="how long a connection may wait for its next request; longer than the proxies in front keep theirs",
    )
    cors_allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="comma-separated origins of the SPA front ends"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="comma-separated addresses or networks of proxies whose X-Forwarded-For and -Proto are believed",
    )
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="DEBUG, INFO, WARNING or ERROR")

    metrics_token: SecretStr | None = Field(
        None,
        description="bearer token for /metrics, at least 16 characters; without it, /metrics answers this machine only",
    )
    metrics_worker_host: str = Field("127.0.0.1", description="address on which a worker answers /metrics")
    metrics_worker_port: int | None = Field(
        None, ge=1, le=65535, description="port on which a worker answers /metrics and /healthz; without it, on none"
    )

    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        repr=False,
        description="collector of traces (OTLP over HTTP), as in `https://collector.example`; without it none are made",
    )

    database_pool_size: int = Field(10, ge=2, le=200, description="connections a process may hold")
    database_statement_timeout: timedelta = Field(
        timedelta(seconds=15), gt=timedelta(0), description="longest SQL statement"
    )
    database_statement_cache_size: int = Field(512, ge=0, description="0 behind PgBouncer in transaction mode")

    auth_jwks_url: str | None = Field(None, description="the identity provider's keys (RS256, ES256, EdDSA)")
    auth_issuer: str = Field("traverse-development", description="expected `iss`")
    auth_audience: str = Field("traverse", description="expected `aud`")
    auth_hs256_key: SecretStr | None = Field(None, description="development and test only: signs and verifies tokens")
    auth_leeway: timedelta = Field(
        timedelta(seconds=60), ge=timedelta(0), le=timedelta(minutes=5), description="clock difference that is forgiven"
    )

    partner_token_lifetime: timedelta = Field(
        timedelta(minutes=15),
        ge=timedelta(minutes=1),
        le=timedelta(hours=1),
        description="how long the token of a machine client is valid; a revoked client has none at once",
    )
    partner_tokens_per_minute: int = Field(
        30, ge=1, description="tokens that one address on the network may ask for in a minute"
    )

    graphql_max_body_bytes: int = Field(1_000_000, ge=1_000, description="largest request to /graphql")
    graphql_max_depth: int = Field(15, ge=1, description="deepest selection of an operation")
    graphql_max_cost: int = Field(
        20_000, ge=100, description="most fields that an operation may resolve, lists multiplied by their size"
    )
    graphql_compiled_plans: bool = Field(
        True, description="compile operations that come again; off, graphql-core runs all of them, several times slower"
    )
    graphql_trusted_documents: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="comma-separated manifests of front ends' operations, by `traverse operations build`",
    )
    graphql_trusted_documents_only_for: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="comma-separated kinds of clients whose own documents are refused: `anonymous`, `job_seeker`,"
        " `employer`, `prescriber`, `labor_inspector`, `partner`, `staff`",
    )
    graphql_introspection: str | None = Field(
        None,
        pattern="^(everyone|signed_in|staff|nobody)$",
        description="who may ask for the schema: `everyone`, `signed_in`, `staff` or `nobody`; when not given, everyone"
        " or, in production, staff",
    )
    rate_limit_address_requests: int = Field(
        12_000, ge=1, description="requests a minute of one address on the network (IPv6: of one /64), to any path"
    )
    rate_limit_account_points: int = Field(
        1_200,
        ge=1,
        description="points a minute and account; an operation takes 1, and 1 more for each 500 fields it may resolve",
    )
    rate_limit_partner_points: int = Field(3_000, ge=1, description="points a minute of one machine client")
    rate_limit_anonymous_points: int = Field(
        600, ge=1, description="points a minute of everybody at one address who is not signed in"
    )
    rate_limit_ops_sign_ins: int = Field(20, ge=1, description="attempts a minute and address to sign in to /ops")
    rate_limit_refused_webhooks: int = Field(
        60, ge=1, description="webhooks a minute and address that may be refused before all of that address are"
    )
    request_deadline: timedelta = Field(timedelta(seconds=10), gt=timedelta(0), description="longest operation")
    graphql_socket_max_message_bytes: int = Field(
        65_536, ge=1_000, le=1_000_000, description="largest message that a WebSocket client may send"
    )
    graphql_socket_init_timeout: timedelta = Field(
        timedelta(seconds=10),
        gt=timedelta(0),
        le=timedelta(seconds=10),
        description="a WebSocket client must have said `connection_init` after so long",
    )
    graphql_socket_max_operations: int = Field(20, ge=1, le=100, description="operations under way on one WebSocket")
    graphql_socket_messages_per_second: float = Field(
        50, ge=1, description="messages of one WebSocket client, who may send four times as many for a moment"
    )
    graphql_streams_max: int = Field(
        2_000, ge=1, description="WebSockets and event streams that a process keeps open; some 50 kB each"
    )
    graphql_streams_max_per_client: int = Field(
        100, ge=1, description="those of one account or, before it signs in, of one address, in each process"
    )
    graphql_stream_send_timeout: timedelta = Field(
        timedelta(seconds=20), gt=timedelta(0), description="a client that takes nothing for so long is cut off"
    )
    graphql_stream_ping_interval: timedelta = Field(
        timedelta(seconds=15), ge=timedelta(seconds=1), description="between the signs of life on a quiet stream"
    )
    graphql_stream_rights_interval: timedelta = Field(
        timedelta(seconds=15),
        ge=timedelta(seconds=1),
        description="how often the rights of those who listen are looked up anew",
    )
    graphql_stream_drain_window: timedelta = Field(
        timedelta(seconds=2),
        ge=timedelta(0),
        le=timedelta(seconds=5),
        description="a process that stops ends its streams in waves over so long",
    )

    subscription_queue_size: int = Field(
        500, ge=1, le=100_000, description="events that wait for one slow subscriber before it is told to resume later"
    )
    event_log_retention_days: int = Field(
        7, ge=1, le=365, description="subscribers who were away for longer must read the present state anew"
    )

    ft_base_url: str | None = Field(None, description="France Travail, prefix of the data calls")
    ft_auth_base_url_partenaire: str | None = Field(None, description="France Travail, prefix of the token call")
    ft_client_id: str | None = Field(None, description="France Travail, OAuth2 client")
    ft_client_secret: SecretStr | None = Field(None, description="France Travail, OAuth2 secret")
    ft_scopes: Annotated[tuple[str, ...], NoDecode] = Field(
        ("api_maj-pass-iaev1", "api_rechercheindividucertifiev1", "passIAE", "rechercherIndividuCertifie"),
        description="scopes asked for; one that was not subscribed to fails every token call",
    )
    ft_timeout_seconds: float = Field(60, gt=0, description="longest data call")
    ft_token_timeout_seconds: float = Field(10, gt=0, description="longest token call")
    ft_token_margin_seconds: int = Field(10, ge=0, description="a token is renewed so long before it expires")
    ft_max_rps: float = Field(1, gt=0, description="calls a second and endpoint, all workers together")

    api_particulier_base_url: str | None = Field(
        None, description="API Particulier, as in `https://particulier.api.gouv.fr`"
    )
    api_particulier_token: SecretStr | None = Field(None, description="API Particulier, token of the habilitation")
    api_particulier_recipient: str | None = Field(
        None, description="API Particulier, SIRET of the public body that holds the habilitation"
    )
    api_particulier_max_rps: float = Field(
        10, gt=0, le=20, description="calls a second, all processes together; 20 are allowed"
    )

    pass_iae_notifications_enabled: bool = Field(True, description="whether approvals are announced to France Travail")
    pass_iae_batch_size: int = Field(140, ge=1, le=10_000, description="approvals and cancellations of one run")
    certification_batch_size: int = Field(200, ge=1, le=10_000, description="job seekers of one certification run")
    notification_interval: timedelta = Field(
        timedelta(minutes=5), gt=timedelta(0), description="between the starts of two notification runs"
    )
    notification_last_hour: int = Field(
        21, ge=0, le=23, description="last hour of the day, Europe/Paris, in which notification runs start"
    )
    notification_lease: timedelta = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=1),
        description="a worker that died is taken over after so long; a living one renews its hold in time",
    )

    ban_base_url: str | None = Field(None, description="national address base, as in `https://data.geopf.fr`")
    ban_timeout_seconds: float = Field(5, gt=0, description="longest search of one address")
    ban_max_rps: float = Field(40, gt=0, le=50, description="calls a second, all processes together; 50 are allowed")
    ban_searches_per_minute: int = Field(
        240, ge=1, description="searches of addresses that one client of the API may ask for in a minute"
    )

    api_geo_base_url: str | None = Field(None, description="communes, as in `https://geo.api.gouv.fr`")
    api_geo_timeout_seconds: float = Field(10, gt=0, description="longest look-up of a commune")
    api_geo_max_rps: float = Field(20, gt=0, description="calls a second, all processes together")

    sirene_base_url: str | None = Field(
        None,
        description="INSEE's Sirene; when not given, its public or its private address, after the credentials",
    )
    sirene_api_key: SecretStr | None = Field(None, description="Sirene, public flavour: the application's key")
    sirene_auth_url: str | None = Field(
        None, description="Sirene, flavour of administrations: where tokens come from, without `/token`"
    )
    sirene_client_id: str | None = Field(None, description="Sirene, flavour of administrations: OAuth2 client")
    sirene_client_secret: SecretStr | None = Field(None, description="Sirene, its secret")
    sirene_username: str | None = Field(None, repr=False, description="Sirene, account of INSEE's")
    sirene_password: SecretStr | None = Field(None, description="Sirene, its password, which ends after 90 days")
    sirene_timeout_seconds: float = Field(10, gt=0, description="longest look-up of establishments")
    sirene_max_per_minute: float = Field(
        25, gt=0, le=30, description="calls a minute, all processes together; 30 are allowed"
    )
    sirene_searches_per_minute: int = Field(
        10, ge=1, description="establishments that one account may ask for by number in a minute"
    )

    data_inclusion_base_url: str | None = Field(
        None, description="inclusion structures, as in `https://api.data.inclusion.gouv.fr`"
    )
    data_inclusion_token: SecretStr | None = Field(None, description="its token, of scope `api`, never `widget`")
    data_inclusion_timeout_seconds: float = Field(60, gt=0, description="longest page of 1,000 structures")
    data_inclusion_searches_per_minute: int = Field(
        60, ge=1, description="pages of structures that one account may ask for in a minute"
    )

    rdv_solidarites_api_base_url: str | None = Field(
        None, description="where agents sign in, as in `https://www.rdv-solidarites.fr/api/v1/`"
    )
    rdv_solidarites_email: str | None = Field(None, repr=False, description="the technical agent that invites")
    rdv_solidarites_password: SecretStr | None = Field(None, description="its password")
    rdv_solidarites_token_expiry: int = Field(
        86_000, ge=60, description="seconds for which all processes share one sign-in, which lives for 86400"
    )
    rdv_insertion_api_base_url: str | None = Field(
        None, description="invitations to appointments, as in `https://www.rdv-insertion.fr/api/v1/`"
    )
    rdv_insertion_timeout_seconds: float = Field(10, gt=0, description="longest call that invites somebody")
    rdv_insertion_max_rps: float = Field(
        1.6, gt=0, description="calls a second of each kind, all processes together; 500 in 5 minutes are allowed"
    )
    rdv_insertion_invite_hold_days: int = Field(
        10, ge=1, le=365, description="days between two invitations of one person by one company"
    )

    metabase_site_url: str | None = Field(None, description="dashboards: Metabase's address, without a final slash")
    metabase_secret_key: SecretStr | None = Field(
        None, description="Metabase's embedding secret, 64 hexadecimal characters: whoever has it sees every dashboard"
    )
    metabase_timeout_seconds: float = Field(3, gt=0, description="longest listing of the cards of a dashboard")
    metabase_export_timeout_seconds: float = Field(
        600, gt=0, description="longest export, from its beginning to the last byte that its reader takes"
    )
    metabase_exports_at_once: int = Field(4, ge=1, description="exports that a process has Metabase make at a time")
    metabase_requests_per_minute: int = Field(
        120, ge=1, description="listings of cards and exports that one client of the API may ask for in a minute"
    )
    metabase_etp_user_ids: Annotated[tuple[UUID, ...], NoDecode] = Field(
        (), description="comma-separated ids of the administrators of companies who may open `stats_siae_etp`"
    )

    smtp_url: SecretStr | None = Field(
        None, description="mail relay: `smtps://user:password@host:465`, `smtp+starttls://`, or `smtp://` on loopback"
    )
    mail_from: str | None = Field(None, description="sender of mails: an address, or `Name <address>`")
    public_url: str | None = Field(
        None, description="this server's own address, as people reach it: links in mails begin with it"
    )
    tally_url: str | None = Field(None, description="survey forms, as in `https://tally.so`")
    tally_form_post_hiring_employer: str | None = Field(
        None, description="form for the company that hired, as in `mY59xq`; without it that survey is off"
    )
    tally_form_post_hiring_job_seeker: str | None = Field(
        None, description="form for the person who was hired; without it that survey is off"
    )
    tally_form_prescriber_satisfaction: str | None = Field(
        None, description="form for the prescriber who sent the person, as in `w2EoDp`; without it that survey is off"
    )
    tally_post_hiring_employer_delay_days: float = Field(
        7, ge=0, le=365, description="days from the acceptance to the mail to the company"
    )
    tally_post_hiring_job_seeker_delay_days: float = Field(
        30, ge=0, le=365, description="days from the acceptance to the mail to the person"
    )
    tally_prescriber_satisfaction_delay_days: float = Field(
        7, ge=0, le=365, description="days from the acceptance to the mail to the prescriber"
    )
    tally_lookback_days: float = Field(
        14,
        gt=0,
        le=365,
        description="hirings accepted, and mails due, longer ago than these days are not surveyed by themselves",
    )
    diagoriente_url: str = Field(DEFAULT_DIAGORIENTE_URL, description="where Diagoriente's invitations lead")
    diagoriente_opening_enabled: bool = Field(
        True, description="whether invitations lead over this server (PUBLIC_URL), which notes that they were followed"
    )

    rdv_insertion_webhook_secret: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="comma-separated secrets with which RDV-Insertion signs; without one its webhooks are refused"
    )
    rdv_insertion_webhook_jwt: bool = Field(
        False, description="whether webhooks signed by a JWT are accepted too, which vouches for three values only"
    )
    tally_webhook_secret: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (), description="comma-separated signing secrets of the forms; without one Tally's webhooks are refused"
    )
    webhook_pool_size: int = Field(
        4, ge=1, le=50, description="connections of an API process that only webhooks use, besides its pool"
    )
    webhook_bodies_kept_days: int = Field(
        30, ge=1, description="days for which bodies of processed webhooks are kept, sealed"
    )
    webhook_waiting_bodies_kept_days: int = Field(
        90, ge=1, description="days for which bodies of webhooks without a match, or failed, are kept, sealed"
    )
    appointments_kept_days: int = Field(
        730, ge=1, description="days for which appointments are kept after their end, with who took part"
    )
    access_log_kept_days: int = Field(
        365, ge=180, le=1_095, description="days for which it is kept who read a whole NIR, or a person's data as staff"
    )
    audit_kept_days: int = Field(
        365, ge=180, le=1_095, description="days for which it is kept what operators did on the dashboard, and why"
    )
    dashboard_visits_kept_days: int = Field(365, ge=1, description="days for which visits to dashboards are kept")
    attempts_kept_days: int = Field(
        730, ge=30, description="days for which attempts to announce and to invite are kept; the last one stays longer"
    )
    webhook_events_kept_days: int = Field(
        730, ge=180, description="days for which it is kept that a webhook came, long after its body is gone"
    )
    rdv_insertion_webhook_silence: timedelta = Field(
        timedelta(days=2), gt=timedelta(0), description="an alarm is raised when RDV-Insertion says nothing for so long"
    )
    tally_webhook_silence: timedelta = Field(
        timedelta(days=14), gt=timedelta(0), description="an alarm is raised when Tally says nothing for so long"
    )

    @field_validator(
        "cors_allowed_origins",
        "graphql_trusted_documents",
        "graphql_trusted_documents_only_for",
        "trusted_proxies",
        "ft_scopes",
        "encryption_keys",
        "rdv_insertion_webhook_secret",
        "tally_webhook_secret",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator(
        "auth_leeway",
        "partner_token_lifetime",
        "request_deadline",
        "graphql_socket_init_timeout",
        "graphql_stream_send_timeout",
        "graphql_stream_ping_interval",
        "graphql_stream_rights_interval",
        "graphql_stream_drain_window",
        "database_statement_timeout",
        "notification_interval",
        "notification_lease",
        "rdv_insertion_webhook_silence",
        "tally_webhook_silence",
        mode="before",
    )
    @classmethod
    def _seconds(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return timedelta(seconds=float(value))
        except (ValueError, OverflowError):
            raise ValueError("a number of seconds is expected") from None

    @field_validator(
        "otel_exporter_otlp_endpoint",
        "auth_jwks_url",
        "ban_base_url",
        "api_geo_base_url",
        "ft_base_url",
        "ft_auth_base_url_partenaire",
        "api_particulier_base_url",
        "sirene_base_url",
        "sirene_auth_url",
        "public_url",
        "diagoriente_url",
        "data_inclusion_base_url",
        "metabase_site_url",
        "rdv_solidarites_api_base_url",
        "rdv_insertion_api_base_url",
    )
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("an http:// or https:// URL is expected")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in value:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(f'"{proxy}": an IP address, or a network as in 10.0.0.0/8, is expected') from None
        return value

    @field_validator("metabase_etp_user_ids", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("smtp_url")
    @classmethod
    def _relay(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            MailConfig.from_url(value.get_secret_value(), sender="")
        return value

    @field_validator("tally_url")
    @classmethod
    def _forms(cls, value: str | None) -> str | None:
        if value is not None:
            TallyForms(value, allow_http=True)
        return value

    @field_validator(
        "tally_form_post_hiring_employer", "tally_form_post_hiring_job_seeker", "tally_form_prescriber_satisfaction"
    )
    @classmethod
    def _form(cls, value: str | None) -> str | None:
        if value is not None and not is_form_id(value):
            raise ValueError("the id of a form is expected: 4 to 12 letters and digits, as in its link after /r/")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str | None) -> str | None:
        if value is not None and normalise_address(parseaddr(value)[1]) is None:
            raise ValueError("an e-mail address, or `Name <address>`, is expected")
        return value

    @field_validator("api_particulier_recipient")
    @classmethod
    def _siret(cls, value: str | None) -> str | None:
        try:
            return None if value is None else parse_siret(value)
        except InvalidIdentifier:
            raise ValueError("a SIRET of 14 digits with a right key is expected") from None

    @field_validator("database_url", "database_direct_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("postgres", "postgresql"):
            raise ValueError("a postgresql:// URL is expected")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("redis", "rediss", "redis+sentinel"):
            raise ValueError("a redis://, rediss:// or redis+sentinel:// URL is expected")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        problems = [
            *self._france_travail_problems(),
            *self._api_particulier_problems(),
            *self._sirene_problems(),
            *_half_configured("mail", {"SMTP_URL": self.smtp_url, "MAIL_FROM": self.mail_from}),
            *self._data_inclusion_problems(),
            *self._metabase_problems(),
            *self._rdv_insertion_problems(),
            *self._tally_problems(),
            *self._authentication_problems(),
            *self._document_problems(),
            *self._metrics_problems(),
            *self._key_problems(),
            *self._production_problems(),
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _france_travail_problems(self) -> list[str]:
        given = {
            "FT_BASE_URL": self.ft_base_url,
            "FT_AUTH_BASE_URL_PARTENAIRE": self.ft_auth_base_url_partenaire,
            "FT_CLIENT_ID": self.ft_client_id,
            "FT_CLIENT_SECRET": self.ft_client_secret,
        }
        return _half_configured("FT_", given)

    def _api_particulier_problems(self) -> list[str]:
        given = {
            "API_PARTICULIER_BASE_URL": self.api_particulier_base_url,
            "API_PARTICULIER_TOKEN": self.api_particulier_token,
            "API_PARTICULIER_RECIPIENT": self.api_particulier_recipient,
        }
        return _half_configured("API_PARTICULIER_", given)

    def _sirene_problems(self) -> list[str]:
        given = {
            "SIRENE_AUTH_URL": self.sirene_auth_url,
            "SIRENE_CLIENT_ID": self.sirene_client_id,
            "SIRENE_CLIENT_SECRET": self.sirene_client_secret,
            "SIRENE_USERNAME": self.sirene_username,
            "SIRENE_PASSWORD": self.sirene_password,
        }
        missing = [name for name, value in given.items() if value is None]
        if self.sirene_api_key is None and missing and len(missing) < len(given):
            return [
                f"{', '.join(missing)}: missing, although other variables of Sirene's token are set: set all of them,"
                " or SIRENE_API_KEY"
            ]
        return []

    def _data_inclusion_problems(self) -> list[str]:
        given = {
            "DATA_INCLUSION_BASE_URL": self.data_inclusion_base_url,
            "DATA_INCLUSION_TOKEN": self.data_inclusion_token,
        }
        return _half_configured("DATA_INCLUSION_", given)

    def _tally_problems(self) -> list[str]:
        given = {
            "TALLY_FORM_POST_HIRING_EMPLOYER": self.tally_form_post_hiring_employer,
            "TALLY_FORM_POST_HIRING_JOB_SEEKER": self.tally_form_post_hiring_job_seeker,
            "TALLY_FORM_PRESCRIBER_SATISFACTION": self.tally_form_prescriber_satisfaction,
        }
        forms = [form for form in given.values() if form is not None]
        names = ", ".join(name for name, form in given.items() if form is not None)
        if forms and self.tally_url is None:
            return [f"TALLY_URL: missing, although {names} is set: set it as well"]
        if len(set(forms)) < len(forms):
            # An answer says its form and not its kind.
            return [f"{names}: one form is given twice, each kind of survey needs a form of its own"]
        return []

    def _rdv_insertion_problems(self) -> list[str]:
        given = {
            "RDV_SOLIDARITES_API_BASE_URL": self.rdv_solidarites_api_base_url,
            "RDV_SOLIDARITES_EMAIL": self.rdv_solidarites_email,
            "RDV_SOLIDARITES_PASSWORD": self.rdv_solidarites_password,
            "RDV_INSERTION_API_BASE_URL": self.rdv_insertion_api_base_url,
        }
        return _half_configured("RDV_", given)

    def _metabase_problems(self) -> list[str]:
        secret = self.metabase_secret_key
        given = {"METABASE_SITE_URL": self.metabase_site_url, "METABASE_SECRET_KEY": secret}
        if secret is not None and _EMBEDDING_SECRET.fullmatch(secret.get_secret_value()) is None:
            return ["METABASE_SECRET_KEY: 64 hexadecimal characters expected, as Metabase shows them"]
        if self.is_production and self.metabase_site_url is not None and self.public_url is None:
            return ["PUBLIC_URL: required in production with METABASE_SITE_URL: links to exports begin with it"]
        return _half_configured("METABASE_", given)

    def _document_problems(self) -> list[str]:
        given = self.graphql_trusted_documents_only_for
        known = ["anonymous", *(kind.value for kind in UserKind)]
        if unknown := [kind for kind in given if kind not in known]:
            return [f'GRAPHQL_TRUSTED_DOCUMENTS_ONLY_FOR: "{unknown[0]}" is no kind; {", ".join(known)} expected']
        if given and not self.graphql_trusted_documents:
            return ["GRAPHQL_TRUSTED_DOCUMENTS: missing, although GRAPHQL_TRUSTED_DOCUMENTS_ONLY_FOR is set"]
        return []

    def _authentication_problems(self) -> list[str]:
        if self.auth_hs256_key is not None and len(self.auth_hs256_key.get_secret_value()) < 32:
            return ["AUTH_HS256_KEY: at least 32 characters expected"]
        return []

    def _metrics_problems(self) -> list[str]:
        if self.metrics_token is not None and len(self.metrics_token.get_secret_value()) < _SHORTEST_METRICS_TOKEN:
            return [f"METRICS_TOKEN: at least {_SHORTEST_METRICS_TOKEN} characters expected"]
        if self.metrics_token is None and self.metrics_worker_host not in ("127.0.0.1", "::1", "localhost"):
            return ["METRICS_TOKEN: required with a METRICS_WORKER_HOST that other machines reach"]
        return []

    def _key_problems(self) -> list[str]:
        """A malformed key must stop the start, not the first request."""
        given = [("ENCRYPTION_KEYS", key) for key in self.encryption_keys]
        if self.fingerprint_key is not None:
            given.append(("FINGERPRINT_KEY", self.fingerprint_key))
        problems: list[str] = []
        for name, key in given:
            try:
                _decode_key(name, key)
            except SettingsError as error:
                problems.append(str(error))
        return problems

    def _production_problems(self) -> list[str]:
        if self.environment is not Environment.PRODUCTION:
            return []
        problems: list[str] = []
        if self.secret_key.get_secret_value() == DEVELOPMENT_KEY or len(self.secret_key.get_secret_value()) < 32:
            problems.append("SECRET_KEY: a key of its own, of at least 32 characters, is required in production")
        if not self.encryption_keys:
            problems.append("ENCRYPTION_KEYS: required in production (32 random bytes in base64)")
        if self.fingerprint_key is None:
            problems.append("FINGERPRINT_KEY: required in production (32 random bytes in base64)")
        if self.auth_hs256_key is not None:
            problems.append("AUTH_HS256_KEY: refused in production; set AUTH_JWKS_URL")
        if self.auth_jwks_url is None:
            problems.append("AUTH_JWKS_URL: required in production")
        urls = {
            "AUTH_JWKS_URL": self.auth_jwks_url,
            "FT_BASE_URL": self.ft_base_url,
            "FT_AUTH_BASE_URL_PARTENAIRE": self.ft_auth_base_url_partenaire,
            "API_PARTICULIER_BASE_URL": self.api_particulier_base_url,
            "BAN_BASE_URL": self.ban_base_url,
            "API_GEO_BASE_URL": self.api_geo_base_url,
            "SIRENE_BASE_URL": self.sirene_base_url,
            "SIRENE_AUTH_URL": self.sirene_auth_url,
            "PUBLIC_URL": self.public_url,
            "TALLY_URL": self.tally_url,
            "DIAGORIENTE_URL": self.diagoriente_url,
            "RDV_SOLIDARITES_API_BASE_URL": self.rdv_solidarites_api_base_url,
            "RDV_INSERTION_API_BASE_URL": self.rdv_insertion_api_base_url,
            "METABASE_SITE_URL": self.metabase_site_url,
            "DATA_INCLUSION_BASE_URL": self.data_inclusion_base_url,
        }
        problems += [
            f"{name}: each secret is required to have at least {_SHORTEST_WEBHOOK_SECRET} characters in production"
            for name, signing in (
                ("RDV_INSERTION_WEBHOOK_SECRET", self.rdv_insertion_webhook_secret),
                ("TALLY_WEBHOOK_SECRET", self.tally_webhook_secret),
            )
            if any(len(secret.get_secret_value()) < _SHORTEST_WEBHOOK_SECRET for secret in signing)
        ]
        if self.smtp_url is not None and _relay_is_exposed(self.smtp_url):
            problems.append("SMTP_URL: smtps:// or smtp+starttls:// is required in production, except on loopback")
        if self.otel_exporter_otlp_endpoint is not None and _collector_is_exposed(self.otel_exporter_otlp_endpoint):
            problems.append("OTEL_EXPORTER_OTLP_ENDPOINT: https:// is required in production, except on loopback")
        problems += [
            f"{name}: an https:// URL is required in production"
            for name, url in urls.items()
            if url and not url.startswith("https://")
        ]
        return problems

    @cached_property
    def key_ring(self) -> KeyRing:
        """The keys that seal NIRs; outside production, derived from SECRET_KEY when none are given."""
        keys = tuple(_decode_key("ENCRYPTION_KEYS", key) for key in self.encryption_keys) or (self.derive_key("seal"),)
        fingerprint = (
            _decode_key("FINGERPRINT_KEY", self.fingerprint_key)
            if self.fingerprint_key
            else self.derive_key("fingerprint")
        )
        return KeyRing(keys=keys, fingerprint_key=fingerprint)

    def trusted_documents(self) -> TrustedDocuments:
        """Return the operations of the front ends, read now. Raises SettingsError for a manifest of no use."""
        try:
            return TrustedDocuments(chain.from_iterable(map(read_manifest, self.graphql_trusted_documents)))
        except ManifestError as error:
            raise SettingsError(f"GRAPHQL_TRUSTED_DOCUMENTS: {error}") from None

    def derive_key(self, purpose: str) -> bytes:
        """Return 32 bytes of SECRET_KEY's own for one purpose, so that no two purposes share a key."""
        return hmac.new(
            self.secret_key.get_secret_value().encode(), f"traverse:{purpose}".encode(), hashlib.sha256
        ).digest()

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def france_travail_is_configured(self) -> bool:
        return self.ft_base_url is not None


def _relay_is_exposed(smtp_url: SecretStr) -> bool:
    relay = MailConfig.from_url(smtp_url.get_secret_value(), sender="")
    return relay.security is Security.NONE and relay.host not in ("localhost", "127.0.0.1", "::1")


def _collector_is_exposed(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    return parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _half_configured(prefix: str, given: Mapping[str, object | None]) -> list[str]:
    """A partner is configured wholly or not at all."""
    missing = [name for name, value in given.items() if value is None]
    if missing and len(missing) < len(given):
        return [f"{', '.join(missing)}: missing, although other {prefix} variables are set: set all of them or none"]
    return []


def _decode_key(name: str, value: SecretStr) -> bytes:
    try:
        key = base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"{name}: not base64; 32 bytes in base64 expected") from None
    if len(key) != 32:
        raise SettingsError(f"{name}: {len(key)} bytes, 32 expected")
    return key


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError with one line a problem."""
    try:
        return Settings()  # pyright: ignore[reportCallIssue]: every field has its default
    except ValidationError as error:
        raise SettingsError("\n".join(_sentences(error))) from None


def _sentences(error: ValidationError) -> list[str]:
    sentences: list[str] = []
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:
            sentences += message.splitlines()
        else:
            sentences.append(f"{str(problem['loc'][0]).upper()}: {message[:1].lower()}{message[1:]}")
    return sentences
