"""Everything that a deployment decides: one field a variable of the environment."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from itertools import chain
from pathlib import Path
from uuid import UUID

from execution.trusted.documents import TrustedDocuments
from execution.trusted.manifest import ManifestError, read_manifest
from models.encryption import KeyRing
from models.enums import UserKind
from settings import checks
from settings.variables import Secret, variable

DEFAULT_DIAGORIENTE_URL = "https://diagoriente.beta.gouv.fr/services/plateforme"
DEVELOPMENT_KEY = "development-only-key-never-use-it-in-production"
# Whom free-form documents may be refused.
_KINDS_OF_CLIENTS = ("anonymous", *(kind.value for kind in UserKind))


class SettingsError(Exception):
    """The environment cannot work. `str()` is one sentence a problem, each naming its variable."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Secrets never print themselves."""

    environment: Environment = variable(Environment.DEVELOPMENT, "`development`, `test` or `production`")
    # Neither prints itself: both may hold a password.
    database_url: str = variable(
        "postgresql://postgres@localhost/traverse",
        "PostgreSQL 15 or later",
        is_shown=False,
        check=checks.postgresql_url,
    )
    database_direct_url: str | None = variable(
        None,
        "the same database around a pooler of transactions (PgBouncer): for listening, and for migrations",
        is_shown=False,
        check=checks.postgresql_url,
    )
    redis_url: str = variable(
        "redis://localhost:6379/0",
        "Valkey 7.2 or Redis 7: `redis://`, `rediss://` or `redis+sentinel://`",
        is_shown=False,
        check=checks.redis_url,
    )
    secret_key: Secret = variable(Secret(DEVELOPMENT_KEY), "signs cursors and links; at least 32 characters")
    encryption_keys: tuple[Secret, ...] = variable(
        (), "comma-separated base64 keys of 32 bytes that seal NIRs; the first seals, all open", check=checks.key
    )
    fingerprint_key: Secret | None = variable(
        None, "base64, 32 bytes: NIRs are found by it; it never changes", check=checks.key
    )

    host: str = variable("127.0.0.1", "address the API listens on")
    port: int = variable(8000, "port the API listens on", ge=1, le=65535)
    http_keep_alive: timedelta = variable(
        timedelta(seconds=75),
        "how long a connection may wait for its next request; longer than the proxies in front keep theirs",
        ge=5,
        le=3600,
    )
    cors_allowed_origins: tuple[str, ...] = variable((), "comma-separated origins of the SPA front ends")
    trusted_proxies: tuple[str, ...] = variable(
        (),
        "comma-separated addresses or networks of proxies whose X-Forwarded-For and -Proto are believed",
        check=checks.network,
    )
    log_level: str = variable("INFO", "DEBUG, INFO, WARNING or ERROR", one_of=("DEBUG", "INFO", "WARNING", "ERROR"))

    metrics_token: Secret | None = variable(
        None,
        "bearer token for /metrics, at least 16 characters; without it, /metrics answers this machine only",
        check=checks.at_least(16),
    )
    metrics_worker_host: str = variable("127.0.0.1", "address on which a worker answers /metrics")
    metrics_worker_port: int | None = variable(
        None, "port on which a worker answers /metrics and /healthz; without it, on none", ge=1, le=65535
    )

    otel_exporter_otlp_endpoint: str | None = variable(
        None,
        "collector of traces (OTLP over HTTP), as in `https://collector.example`; without it none are made",
        is_shown=False,
        check=checks.http_url,
    )

    database_pool_size: int = variable(10, "connections a process may hold", ge=2, le=200)
    database_statement_timeout: timedelta = variable(timedelta(seconds=15), "longest SQL statement", gt=0)
    database_statement_cache_size: int = variable(512, "0 behind PgBouncer in transaction mode", ge=0)

    auth_jwks_url: str | None = variable(
        None, "the identity provider's keys (RS256, ES256, EdDSA)", check=checks.http_url
    )
    auth_issuer: str = variable("traverse-development", "expected `iss`")
    auth_audience: str = variable("traverse", "expected `aud`")
    auth_hs256_key: Secret | None = variable(
        None, "development and test only: signs and verifies tokens", check=checks.at_least(32)
    )
    auth_leeway: timedelta = variable(timedelta(seconds=60), "clock difference that is forgiven", ge=0, le=300)

    partner_token_lifetime: timedelta = variable(
        timedelta(minutes=15),
        "how long the token of a machine client is valid; a revoked client has none at once",
        ge=60,
        le=3600,
    )
    partner_tokens_per_minute: int = variable(
        30, "tokens that one address on the network may ask for in a minute", ge=1
    )

    graphql_max_body_bytes: int = variable(1_000_000, "largest request to /graphql", ge=1_000)
    graphql_max_depth: int = variable(15, "deepest selection of an operation", ge=1)
    graphql_max_cost: int = variable(
        20_000, "most fields that an operation may resolve, lists multiplied by their size", ge=100
    )
    graphql_compiled_plans: bool = variable(
        True, "compile operations that come again; off, graphql-core runs all of them, several times slower"
    )
    graphql_trusted_documents: tuple[Path, ...] = variable(
        (), "comma-separated manifests of front ends' operations, by `traverse operations build`"
    )
    graphql_trusted_documents_only_for: tuple[str, ...] = variable(
        (),
        "comma-separated kinds of clients whose own documents are refused: `anonymous`, `job_seeker`,"
        " `employer`, `prescriber`, `labor_inspector`, `partner`, `staff`",
        one_of=_KINDS_OF_CLIENTS,
    )
    graphql_introspection: str | None = variable(
        None,
        "who may ask for the schema: `everyone`, `signed_in`, `staff` or `nobody`; when not given, everyone"
        " or, in production, staff",
        one_of=("everyone", "signed_in", "staff", "nobody"),
    )
    rate_limit_address_requests: int = variable(
        12_000, "requests a minute of one address on the network (IPv6: of one /64), to any path", ge=1
    )
    rate_limit_account_points: int = variable(
        1_200, "points a minute and account; an operation takes 1, and 1 more for each 500 fields it may resolve", ge=1
    )
    rate_limit_partner_points: int = variable(3_000, "points a minute of one machine client", ge=1)
    rate_limit_anonymous_points: int = variable(
        600, "points a minute of everybody at one address who is not signed in", ge=1
    )
    rate_limit_ops_sign_ins: int = variable(20, "attempts a minute and address to sign in to /ops", ge=1)
    rate_limit_refused_webhooks: int = variable(
        60, "webhooks a minute and address that may be refused before all of that address are", ge=1
    )
    request_deadline: timedelta = variable(timedelta(seconds=10), "longest operation", gt=0)
    graphql_socket_max_message_bytes: int = variable(
        65_536, "largest message that a WebSocket client may send", ge=1_000, le=1_000_000
    )
    graphql_socket_init_timeout: timedelta = variable(
        timedelta(seconds=10), "a WebSocket client must have said `connection_init` after so long", gt=0, le=10
    )
    graphql_socket_max_operations: int = variable(20, "operations under way on one WebSocket", ge=1, le=100)
    graphql_socket_messages_per_second: float = variable(
        50, "messages of one WebSocket client, who may send four times as many for a moment", ge=1
    )
    graphql_streams_max: int = variable(
        2_000, "WebSockets and event streams that a process keeps open; some 50 kB each", ge=1
    )
    graphql_streams_max_per_client: int = variable(
        100, "those of one account or, before it signs in, of one address, in each process", ge=1
    )
    graphql_stream_send_timeout: timedelta = variable(
        timedelta(seconds=20), "a client that takes nothing for so long is cut off", gt=0
    )
    graphql_stream_ping_interval: timedelta = variable(
        timedelta(seconds=15), "between the signs of life on a quiet stream", ge=1
    )
    graphql_stream_rights_interval: timedelta = variable(
        timedelta(seconds=15), "how often the rights of those who listen are looked up anew", ge=1
    )
    graphql_stream_drain_window: timedelta = variable(
        timedelta(seconds=2), "a process that stops ends its streams in waves over so long", ge=0, le=5
    )

    subscription_queue_size: int = variable(
        500, "events that wait for one slow subscriber before it is told to resume later", ge=1, le=100_000
    )
    event_log_retention_days: int = variable(
        7, "subscribers who were away for longer must read the present state anew", ge=1, le=365
    )

    ft_base_url: str | None = variable(None, "France Travail, prefix of the data calls", check=checks.http_url)
    ft_auth_base_url_partenaire: str | None = variable(
        None, "France Travail, prefix of the token call", check=checks.http_url
    )
    ft_client_id: str | None = variable(None, "France Travail, OAuth2 client")
    ft_client_secret: Secret | None = variable(None, "France Travail, OAuth2 secret")
    ft_scopes: tuple[str, ...] = variable(
        ("api_maj-pass-iaev1", "api_rechercheindividucertifiev1", "passIAE", "rechercherIndividuCertifie"),
        "scopes asked for; one that was not subscribed to fails every token call",
    )
    ft_timeout_seconds: float = variable(60, "longest data call", gt=0)
    ft_token_timeout_seconds: float = variable(10, "longest token call", gt=0)
    ft_token_margin_seconds: int = variable(10, "a token is renewed so long before it expires", ge=0)
    ft_max_rps: float = variable(1, "calls a second and endpoint, all workers together", gt=0)

    api_particulier_base_url: str | None = variable(
        None, "API Particulier, as in `https://particulier.api.gouv.fr`", check=checks.http_url
    )
    api_particulier_token: Secret | None = variable(None, "API Particulier, token of the habilitation")
    api_particulier_recipient: str | None = variable(
        None, "API Particulier, SIRET of the public body that holds the habilitation", check=checks.siret
    )
    api_particulier_max_rps: float = variable(10, "calls a second, all processes together; 20 are allowed", gt=0, le=20)

    pass_iae_notifications_enabled: bool = variable(True, "whether approvals are announced to France Travail")
    pass_iae_batch_size: int = variable(140, "approvals and cancellations of one run", ge=1, le=10_000)
    certification_batch_size: int = variable(200, "job seekers of one certification run", ge=1, le=10_000)
    notification_interval: timedelta = variable(
        timedelta(minutes=5), "between the starts of two notification runs", gt=0
    )
    notification_last_hour: int = variable(
        21, "last hour of the day, Europe/Paris, in which notification runs start", ge=0, le=23
    )
    notification_lease: timedelta = variable(
        timedelta(seconds=60),
        "a worker that died is taken over after so long; a living one renews its hold in time",
        ge=1,
    )

    ban_base_url: str | None = variable(
        None, "national address base, as in `https://data.geopf.fr`", check=checks.http_url
    )
    ban_timeout_seconds: float = variable(5, "longest search of one address", gt=0)
    ban_max_rps: float = variable(40, "calls a second, all processes together; 50 are allowed", gt=0, le=50)
    ban_searches_per_minute: int = variable(
        240, "searches of addresses that one client of the API may ask for in a minute", ge=1
    )

    api_geo_base_url: str | None = variable(None, "communes, as in `https://geo.api.gouv.fr`", check=checks.http_url)
    api_geo_timeout_seconds: float = variable(10, "longest look-up of a commune", gt=0)
    api_geo_max_rps: float = variable(20, "calls a second, all processes together", gt=0)

    sirene_base_url: str | None = variable(
        None,
        "INSEE's Sirene; when not given, its public or its private address, after the credentials",
        check=checks.http_url,
    )
    sirene_api_key: Secret | None = variable(None, "Sirene, public flavour: the application's key")
    sirene_auth_url: str | None = variable(
        None, "Sirene, flavour of administrations: where tokens come from, without `/token`", check=checks.http_url
    )
    sirene_client_id: str | None = variable(None, "Sirene, flavour of administrations: OAuth2 client")
    sirene_client_secret: Secret | None = variable(None, "Sirene, its secret")
    sirene_username: str | None = variable(None, "Sirene, account of INSEE's", is_shown=False)
    sirene_password: Secret | None = variable(None, "Sirene, its password, which ends after 90 days")
    sirene_timeout_seconds: float = variable(10, "longest look-up of establishments", gt=0)
    sirene_max_per_minute: float = variable(25, "calls a minute, all processes together; 30 are allowed", gt=0, le=30)
    sirene_searches_per_minute: int = variable(
        10, "establishments that one account may ask for by number in a minute", ge=1
    )

    data_inclusion_base_url: str | None = variable(
        None, "inclusion structures, as in `https://api.data.inclusion.gouv.fr`", check=checks.http_url
    )
    data_inclusion_token: Secret | None = variable(None, "its token, of scope `api`, never `widget`")
    data_inclusion_timeout_seconds: float = variable(60, "longest page of 1,000 structures", gt=0)
    data_inclusion_searches_per_minute: int = variable(
        60, "pages of structures that one account may ask for in a minute", ge=1
    )

    rdv_solidarites_api_base_url: str | None = variable(
        None, "where agents sign in, as in `https://www.rdv-solidarites.fr/api/v1/`", check=checks.http_url
    )
    rdv_solidarites_email: str | None = variable(None, "the technical agent that invites", is_shown=False)
    rdv_solidarites_password: Secret | None = variable(None, "its password")
    rdv_solidarites_token_expiry: int = variable(
        86_000, "seconds for which all processes share one sign-in, which lives for 86400", ge=60
    )
    rdv_insertion_api_base_url: str | None = variable(
        None, "invitations to appointments, as in `https://www.rdv-insertion.fr/api/v1/`", check=checks.http_url
    )
    rdv_insertion_timeout_seconds: float = variable(10, "longest call that invites somebody", gt=0)
    rdv_insertion_max_rps: float = variable(
        1.6, "calls a second of each kind, all processes together; 500 in 5 minutes are allowed", gt=0
    )
    rdv_insertion_invite_hold_days: int = variable(
        10, "days between two invitations of one person by one company", ge=1, le=365
    )

    metabase_site_url: str | None = variable(
        None, "dashboards: Metabase's address, without a final slash", check=checks.http_url
    )
    metabase_secret_key: Secret | None = variable(
        None,
        "Metabase's embedding secret, 64 hexadecimal characters: whoever has it sees every dashboard",
        check=checks.embedding_secret,
    )
    metabase_timeout_seconds: float = variable(3, "longest listing of the cards of a dashboard", gt=0)
    metabase_export_timeout_seconds: float = variable(
        600, "longest export, from its beginning to the last byte that its reader takes", gt=0
    )
    metabase_exports_at_once: int = variable(4, "exports that a process has Metabase make at a time", ge=1)
    metabase_requests_per_minute: int = variable(
        120, "listings of cards and exports that one client of the API may ask for in a minute", ge=1
    )
    metabase_etp_user_ids: tuple[UUID, ...] = variable(
        (), "comma-separated ids of the administrators of companies who may open `stats_siae_etp`"
    )

    smtp_url: Secret | None = variable(
        None,
        "mail relay: `smtps://user:password@host:465`, `smtp+starttls://`, or `smtp://` on loopback",
        check=checks.relay,
    )
    mail_from: str | None = variable(None, "sender of mails: an address, or `Name <address>`", check=checks.sender)
    public_url: str | None = variable(
        None, "this server's own address, as people reach it: links in mails begin with it", check=checks.http_url
    )
    tally_url: str | None = variable(None, "survey forms, as in `https://tally.so`", check=checks.forms_url)
    tally_form_post_hiring_employer: str | None = variable(
        None, "form for the company that hired, as in `mY59xq`; without it that survey is off", check=checks.form_id
    )
    tally_form_post_hiring_job_seeker: str | None = variable(
        None, "form for the person who was hired; without it that survey is off", check=checks.form_id
    )
    tally_form_prescriber_satisfaction: str | None = variable(
        None,
        "form for the prescriber who sent the person, as in `w2EoDp`; without it that survey is off",
        check=checks.form_id,
    )
    tally_post_hiring_employer_delay_days: float = variable(
        7, "days from the acceptance to the mail to the company", ge=0, le=365
    )
    tally_post_hiring_job_seeker_delay_days: float = variable(
        30, "days from the acceptance to the mail to the person", ge=0, le=365
    )
    tally_prescriber_satisfaction_delay_days: float = variable(
        7, "days from the acceptance to the mail to the prescriber", ge=0, le=365
    )
    tally_lookback_days: float = variable(
        14, "hirings accepted, and mails due, longer ago than these days are not surveyed by themselves", gt=0, le=365
    )
    diagoriente_url: str = variable(
        DEFAULT_DIAGORIENTE_URL, "where Diagoriente's invitations lead", check=checks.http_url
    )
    diagoriente_opening_enabled: bool = variable(
        True, "whether invitations lead over this server (PUBLIC_URL), which notes that they were followed"
    )

    rdv_insertion_webhook_secret: tuple[Secret, ...] = variable(
        (), "comma-separated secrets with which RDV-Insertion signs; without one its webhooks are refused"
    )
    rdv_insertion_webhook_jwt: bool = variable(
        False, "whether webhooks signed by a JWT are accepted too, which vouches for three values only"
    )
    tally_webhook_secret: tuple[Secret, ...] = variable(
        (), "comma-separated signing secrets of the forms; without one Tally's webhooks are refused"
    )
    webhook_pool_size: int = variable(
        4, "connections of an API process that only webhooks use, besides its pool", ge=1, le=50
    )
    webhook_bodies_kept_days: int = variable(30, "days for which bodies of processed webhooks are kept, sealed", ge=1)
    webhook_waiting_bodies_kept_days: int = variable(
        90, "days for which bodies of webhooks without a match, or failed, are kept, sealed", ge=1
    )
    appointments_kept_days: int = variable(
        730, "days for which appointments are kept after their end, with who took part", ge=1
    )
    access_log_kept_days: int = variable(
        365, "days for which it is kept who read a whole NIR, or a person's data as staff", ge=180, le=1_095
    )
    audit_kept_days: int = variable(
        365, "days for which it is kept what operators did on the dashboard, and why", ge=180, le=1_095
    )
    dashboard_visits_kept_days: int = variable(365, "days for which visits to dashboards are kept", ge=1)
    attempts_kept_days: int = variable(
        730, "days for which attempts to announce and to invite are kept; the last one stays longer", ge=30
    )
    webhook_events_kept_days: int = variable(
        730, "days for which it is kept that a webhook came, long after its body is gone", ge=180
    )
    rdv_insertion_webhook_silence: timedelta = variable(
        timedelta(days=2), "an alarm is raised when RDV-Insertion says nothing for so long", gt=0
    )
    tally_webhook_silence: timedelta = variable(
        timedelta(days=14), "an alarm is raised when Tally says nothing for so long", gt=0
    )

    @cached_property
    def key_ring(self) -> KeyRing:
        """The keys that seal NIRs; outside production, derived from SECRET_KEY when none are given."""
        keys = tuple(map(checks.decode_key, self.encryption_keys)) or (self.derive_key("seal"),)
        given = self.fingerprint_key
        fingerprint = self.derive_key("fingerprint") if given is None else checks.decode_key(given)
        return KeyRing(keys=keys, fingerprint_key=fingerprint)

    def trusted_documents(self) -> TrustedDocuments:
        """Return the operations of the front ends, read now. Raises SettingsError for a manifest of no use."""
        try:
            return TrustedDocuments(chain.from_iterable(map(read_manifest, self.graphql_trusted_documents)))
        except ManifestError as error:
            raise SettingsError(f"GRAPHQL_TRUSTED_DOCUMENTS: {error}") from None

    def derive_key(self, purpose: str) -> bytes:
        """Return 32 bytes of SECRET_KEY's own for one purpose, so that no two purposes share a key."""
        return hmac.new(self.secret_key.reveal().encode(), f"traverse:{purpose}".encode(), hashlib.sha256).digest()

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def france_travail_is_configured(self) -> bool:
        return self.ft_base_url is not None
