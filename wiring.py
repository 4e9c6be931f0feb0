"""From settings to what the parts of the house take: read by the entry points (app, cli, the worker) alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

from redis.asyncio import Redis

from clients.api_geo import APIGeoClient, APIGeoConfig, build_api_geo_http
from clients.api_particulier import ApiParticulierClient, ApiParticulierConfig, build_api_particulier_http
from clients.ban import BANClient, BANConfig, build_ban_http
from clients.data_inclusion import DataInclusionClient, DataInclusionConfig, build_data_inclusion_http
from clients.france_travail import FranceTravailClient, FranceTravailConfig, build_france_travail_http
from clients.http import CallPolicy, PartnerHTTP
from clients.jwks import JWKSClient
from clients.metabase import MetabaseClient, MetabaseConfig, build_metabase_http
from clients.rdv_insertion import RDVInsertionClient, RDVInsertionConfig, build_rdv_insertion_http
from clients.sirene import APIKey, PasswordGrant, SireneClient, SireneConfig, build_sirene_http
from clients.tally import TallyForms
from clients.token_store import ValkeyTokenStore
from clients.transport import build_http_client
from models.database import DatabaseConfig
from models.enums import Partner, SurveyKind
from resolvers.events import EventSource
from services.appointments.inviting import Inviting
from services.communes import Communes
from services.dashboards import AccessPolicy, Dashboards, ExportLinks
from services.diagoriente import DiagorienteLinks
from services.establishments import Establishments
from services.event_log import EventHub, HubConfig
from services.geocoding import Geocoding
from services.inclusion_structures import InclusionStructures
from services.lookup_cache import LookupCache
from services.pacing import PostgresPacer
from services.partner_health import PROCESS_CALLS
from services.pictures import Painter
from services.rate_limits import Quotas, WaysIn, ways_in
from services.surveys import SurveyPlan
from services.throttling import Throttle
from services.tokens import PartnerTokens, TokenVerifier
from services.webhooks.silence import Expectation, expectations
from settings import Settings


def database_config(settings: Settings, *, application_name: str) -> DatabaseConfig:
    return DatabaseConfig(
        url=settings.database_url,
        keys=settings.key_ring,
        application_name=application_name,
        pool_max=settings.database_pool_size,
        statement_timeout=settings.database_statement_timeout,
        statement_cache_size=settings.database_statement_cache_size,
    )


def event_source(settings: Settings, stack: AsyncExitStack) -> EventSource:
    """Return what subscriptions follow, reading by now; the stack ends it, and everybody who still follows."""
    hub = EventHub(
        HubConfig(
            url=settings.database_direct_url or settings.database_url, queue_size=settings.subscription_queue_size
        )
    )
    source = EventSource(hub)
    hub.start()
    stack.push_async_callback(source.aclose)
    return source


async def token_verifier(settings: Settings, stack: AsyncExitStack) -> TokenVerifier:
    """Return the verifier of bearer tokens; the stack closes what it opens."""
    keys = None
    if settings.auth_jwks_url is not None:
        http = await stack.enter_async_context(build_http_client(settings.auth_jwks_url))
        policy = CallPolicy(deadline_seconds=5)
        keys = JWKSClient(
            PartnerHTTP("identity_provider", http, policy, observer=PROCESS_CALLS), settings.auth_jwks_url
        )
    return TokenVerifier(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        leeway=settings.auth_leeway,
        keys=keys,
        hs256_key=settings.auth_hs256_key.reveal() if settings.auth_hs256_key else None,
        partner_key=settings.derive_key("partner-tokens"),
    )


def partner_tokens(settings: Settings) -> PartnerTokens:
    """Return what gives machine clients their tokens."""
    return PartnerTokens(
        audience=settings.auth_audience,
        key=settings.derive_key("partner-tokens"),
        lifetime=settings.partner_token_lifetime,
    )


def rate_limits(settings: Settings) -> WaysIn:
    """Return how much one client may ask of this server by each way in."""
    return ways_in(
        Quotas(
            address_requests=settings.rate_limit_address_requests,
            account_points=settings.rate_limit_account_points,
            partner_points=settings.rate_limit_partner_points,
            anonymous_points=settings.rate_limit_anonymous_points,
            partner_tokens=settings.partner_tokens_per_minute,
            ops_sign_ins=settings.rate_limit_ops_sign_ins,
            refused_webhooks=settings.rate_limit_refused_webhooks,
        )
    )


def france_travail_config(settings: Settings) -> FranceTravailConfig | None:
    """Return how to speak to France Travail, or None when it is off."""
    if (
        settings.ft_base_url is None
        or settings.ft_auth_base_url_partenaire is None
        or settings.ft_client_id is None
        or settings.ft_client_secret is None
    ):
        return None
    return FranceTravailConfig(
        base_url=settings.ft_base_url,
        auth_base_url=settings.ft_auth_base_url_partenaire,
        client_id=settings.ft_client_id,
        client_secret=settings.ft_client_secret.reveal(),
        scopes=settings.ft_scopes,
        timeout_seconds=settings.ft_timeout_seconds,
        token_timeout_seconds=settings.ft_token_timeout_seconds,
        token_margin_seconds=settings.ft_token_margin_seconds,
        max_rps=settings.ft_max_rps,
    )


async def france_travail_client(settings: Settings, valkey: Redis, stack: AsyncExitStack) -> FranceTravailClient | None:
    """Return the client of France Travail, or None when it is off; the stack closes what it opens."""
    config = france_travail_config(settings)
    if config is None:
        return None
    http = await stack.enter_async_context(build_france_travail_http(config))
    client = FranceTravailClient(
        config, http, ValkeyTokenStore(valkey), PostgresPacer(config.pace_rates()), observer=PROCESS_CALLS
    )
    return PROCESS_CALLS.watch(Partner.FRANCE_TRAVAIL, client)


async def api_particulier_client(settings: Settings, stack: AsyncExitStack) -> ApiParticulierClient | None:
    """Return the client of API Particulier, or None when it is off; the stack closes what it opens."""
    if (
        settings.api_particulier_base_url is None
        or settings.api_particulier_token is None
        or settings.api_particulier_recipient is None
    ):
        return None
    config = ApiParticulierConfig(
        base_url=settings.api_particulier_base_url,
        token=settings.api_particulier_token.reveal(),
        recipient=settings.api_particulier_recipient,
        max_rps=settings.api_particulier_max_rps,
    )
    http = await stack.enter_async_context(build_api_particulier_http(config))
    client = ApiParticulierClient(config, http, PostgresPacer(config.pace_rates()), observer=PROCESS_CALLS)
    return PROCESS_CALLS.watch(Partner.API_PARTICULIER, client)


def lookup_cache(settings: Settings, valkey: Redis) -> LookupCache:
    """Return the cache in front of look-ups, one a process; whoever asked closes it before the clients behind it."""
    return LookupCache(valkey, hash_key=settings.derive_key("lookups"))


async def ban_client(settings: Settings, stack: AsyncExitStack) -> BANClient | None:
    """Return the client of the national address base, or None when it is off; the stack closes what it opens."""
    if settings.ban_base_url is None:
        return None
    config = BANConfig(
        base_url=settings.ban_base_url, timeout_seconds=settings.ban_timeout_seconds, max_rps=settings.ban_max_rps
    )
    http = await stack.enter_async_context(build_ban_http(config))
    client = BANClient(config, http, PostgresPacer(config.pace_rates()), observer=PROCESS_CALLS)
    return PROCESS_CALLS.watch(Partner.BAN, client)


async def api_geo_client(settings: Settings, stack: AsyncExitStack) -> APIGeoClient | None:
    """Return the client of API Géo, or None when it is off; the stack closes what it opens."""
    if settings.api_geo_base_url is None:
        return None
    config = APIGeoConfig(
        base_url=settings.api_geo_base_url,
        timeout_seconds=settings.api_geo_timeout_seconds,
        max_rps=settings.api_geo_max_rps,
    )
    http = await stack.enter_async_context(build_api_geo_http(config))
    client = APIGeoClient(config, http, PostgresPacer(config.pace_rates()), observer=PROCESS_CALLS)
    return PROCESS_CALLS.watch(Partner.API_GEO, client)


async def communes(settings: Settings, cache: LookupCache, stack: AsyncExitStack) -> Communes | None:
    """Return the communes of France, or None when API Géo is off; the stack closes what it opens."""
    client = await api_geo_client(settings, stack)
    return None if client is None else Communes(client, cache)


def geocoding(client: BANClient | None, cache: LookupCache, known_communes: Communes | None) -> Geocoding | None:
    return None if client is None else Geocoding(client, cache, known_communes)


def address_searches(settings: Settings, valkey: Redis) -> Throttle:
    """Return the limit of each client's searches of addresses."""
    return Throttle(
        valkey,
        name="address_searches",
        per_minute=settings.ban_searches_per_minute,
        hash_key=settings.derive_key("throttles"),
    )


def sirene_config(settings: Settings) -> SireneConfig | None:
    """Return how to speak to Sirene, or None when it is off. A key, the public flavour, wins over an account."""
    if settings.sirene_api_key is not None:
        credentials: APIKey | PasswordGrant = APIKey(value=settings.sirene_api_key.reveal())
        base_url = "https://api.insee.fr/api-sirene/3.11"
    elif (
        settings.sirene_auth_url is not None
        and settings.sirene_client_id is not None
        and settings.sirene_client_secret is not None
        and settings.sirene_username is not None
        and settings.sirene_password is not None
    ):
        credentials = PasswordGrant(
            auth_url=settings.sirene_auth_url,
            client_id=settings.sirene_client_id,
            client_secret=settings.sirene_client_secret.reveal(),
            username=settings.sirene_username,
            password=settings.sirene_password.reveal(),
        )
        base_url = "https://api.insee.fr/api-sirene/prive/3.11"
    else:
        return None
    return SireneConfig(
        credentials=credentials,
        base_url=settings.sirene_base_url or base_url,
        timeout_seconds=settings.sirene_timeout_seconds,
        max_per_minute=settings.sirene_max_per_minute,
    )


async def sirene_client(settings: Settings, valkey: Redis, stack: AsyncExitStack) -> SireneClient | None:
    """Return the client of Sirene, or None when it is off; the stack closes what it opens."""
    config = sirene_config(settings)
    if config is None:
        return None
    http = await stack.enter_async_context(build_sirene_http(config))
    pacer = PostgresPacer(config.pace_rates())
    client = SireneClient(config, http, ValkeyTokenStore(valkey), pacer, observer=PROCESS_CALLS)
    return PROCESS_CALLS.watch(Partner.SIRENE, client)


async def establishments(
    settings: Settings, valkey: Redis, cache: LookupCache, stack: AsyncExitStack
) -> Establishments | None:
    """Return the establishments that INSEE publishes, or None when Sirene is off; the stack closes what it opens."""
    client = await sirene_client(settings, valkey, stack)
    return None if client is None else Establishments(client, cache)


def establishment_searches(settings: Settings, valkey: Redis) -> Throttle:
    """Return the limit of each account's questions for an establishment."""
    return Throttle(
        valkey,
        name="establishment_searches",
        per_minute=settings.sirene_searches_per_minute,
        hash_key=settings.derive_key("throttles"),
    )


async def inclusion_structures(
    settings: Settings, cache: LookupCache, known_communes: Communes | None, stack: AsyncExitStack
) -> InclusionStructures | None:
    """Return the directory of data·inclusion, or None when it is off; the stack closes what it opens."""
    if settings.data_inclusion_base_url is None or settings.data_inclusion_token is None:
        return None
    config = DataInclusionConfig(
        base_url=settings.data_inclusion_base_url,
        token=settings.data_inclusion_token.reveal(),
        timeout_seconds=settings.data_inclusion_timeout_seconds,
    )
    http = await stack.enter_async_context(build_data_inclusion_http(config))
    client = DataInclusionClient(config, http, observer=PROCESS_CALLS)
    return InclusionStructures(PROCESS_CALLS.watch(Partner.DATA_INCLUSION, client), cache, known_communes)


def inclusion_structure_searches(settings: Settings, valkey: Redis) -> Throttle:
    """Return the limit of each account's pages of structures."""
    return Throttle(
        valkey,
        name="inclusion_structure_searches",
        per_minute=settings.data_inclusion_searches_per_minute,
        hash_key=settings.derive_key("throttles"),
    )


def rdv_insertion_config(settings: Settings) -> RDVInsertionConfig | None:
    """Return how to speak to RDV-Insertion, or None when it is off."""
    if (
        settings.rdv_insertion_api_base_url is None
        or settings.rdv_solidarites_api_base_url is None
        or settings.rdv_solidarites_email is None
        or settings.rdv_solidarites_password is None
    ):
        return None
    return RDVInsertionConfig(
        base_url=settings.rdv_insertion_api_base_url,
        rdv_solidarites_base_url=settings.rdv_solidarites_api_base_url,
        email=settings.rdv_solidarites_email,
        password=settings.rdv_solidarites_password.reveal(),
        token_seconds=settings.rdv_solidarites_token_expiry,
        timeout_seconds=settings.rdv_insertion_timeout_seconds,
        max_rps=settings.rdv_insertion_max_rps,
    )


async def rdv_insertion_client(settings: Settings, valkey: Redis, stack: AsyncExitStack) -> RDVInsertionClient | None:
    """Return the client of RDV-Insertion, or None when it is off; the stack closes what it opens."""
    config = rdv_insertion_config(settings)
    if config is None:
        return None
    http = await stack.enter_async_context(build_rdv_insertion_http(config))
    pacer = PostgresPacer(config.pace_rates())
    client = RDVInsertionClient(config, http, ValkeyTokenStore(valkey), pacer, observer=PROCESS_CALLS)
    return PROCESS_CALLS.watch(Partner.RDV_INSERTION, client)


async def inviting(settings: Settings, valkey: Redis, stack: AsyncExitStack) -> Inviting | None:
    """Return what invites to appointments, or None when RDV-Insertion is off; the stack ends its calls."""
    client = await rdv_insertion_client(settings, valkey, stack)
    if client is None:
        return None
    # An employer hears of an answer that is late before the operation itself would be given up.
    made = Inviting(client, hold=invitation_hold(settings), patience=settings.request_deadline * 0.8)
    stack.push_async_callback(made.aclose)
    return made


def invitation_hold(settings: Settings) -> timedelta:
    """Return the time between two invitations of one person by one company."""
    return timedelta(days=settings.rdv_insertion_invite_hold_days)


async def metabase_client(settings: Settings, stack: AsyncExitStack) -> MetabaseClient | None:
    """Return the client of Metabase, or None when it is off; the stack closes what it opens."""
    if settings.metabase_site_url is None or settings.metabase_secret_key is None:
        return None
    config = MetabaseConfig(
        site_url=settings.metabase_site_url,
        secret_key=settings.metabase_secret_key.reveal(),
        listing_seconds=settings.metabase_timeout_seconds,
        export_seconds=settings.metabase_export_timeout_seconds,
        max_concurrent_exports=settings.metabase_exports_at_once,
        queue_seconds=1.0,
    )
    http = await stack.enter_async_context(build_metabase_http(config))
    return PROCESS_CALLS.watch(Partner.METABASE, MetabaseClient(config, http, observer=PROCESS_CALLS))


def export_links(settings: Settings) -> ExportLinks:
    """Return what signs the links to exports; without a public address, those of this machine."""
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    return ExportLinks(settings.derive_key("exports"), base_url=base_url)


async def dashboards(settings: Settings, links: ExportLinks, stack: AsyncExitStack) -> Dashboards:
    """Return the dashboards; the stack closes what they open."""
    painter = Painter()
    stack.push_async_callback(painter.aclose)
    return Dashboards(
        metabase=await metabase_client(settings, stack),
        links=links,
        painter=painter,
        policy=AccessPolicy(etp_user_ids=frozenset(settings.metabase_etp_user_ids)),
    )


def dashboard_requests(settings: Settings, valkey: Redis) -> Throttle:
    """Return the limit of each client's listings of cards and exports."""
    return Throttle(
        valkey,
        name="dashboard_requests",
        per_minute=settings.metabase_requests_per_minute,
        hash_key=settings.derive_key("throttles"),
    )


def sends_mails(settings: Settings) -> bool:
    return settings.smtp_url is not None and settings.mail_from is not None


def diagoriente_links(settings: Settings) -> DiagorienteLinks:
    """Return where invitations lead; without an address of our own, straight to Diagoriente."""
    is_tracked = settings.diagoriente_opening_enabled
    return DiagorienteLinks(
        service_url=settings.diagoriente_url, public_url=settings.public_url if is_tracked else None
    )


def expected_webhooks(settings: Settings) -> Sequence[Expectation]:
    """Return which sources are used, and how long each may be silent."""
    return expectations(
        rdv_insertion=settings.rdv_insertion_webhook_silence if settings.rdv_insertion_webhook_secret else None,
        tally=settings.tally_webhook_silence if settings.tally_webhook_secret else None,
    )


def survey_plan(settings: Settings) -> SurveyPlan | None:
    """Return what is surveyed, or None while the forms have no address."""
    if settings.tally_url is None:
        return None
    forms = {
        SurveyKind.POST_HIRING_EMPLOYER: settings.tally_form_post_hiring_employer,
        SurveyKind.POST_HIRING_JOB_SEEKER: settings.tally_form_post_hiring_job_seeker,
        SurveyKind.PRESCRIBER_SATISFACTION: settings.tally_form_prescriber_satisfaction,
    }
    delays_days = {
        SurveyKind.POST_HIRING_EMPLOYER: settings.tally_post_hiring_employer_delay_days,
        SurveyKind.POST_HIRING_JOB_SEEKER: settings.tally_post_hiring_job_seeker_delay_days,
        SurveyKind.PRESCRIBER_SATISFACTION: settings.tally_prescriber_satisfaction_delay_days,
    }
    return SurveyPlan(
        forms=TallyForms(settings.tally_url, allow_http=not settings.is_production),
        form_ids={kind: form_id for kind, form_id in forms.items() if form_id is not None},
        delays={kind: timedelta(days=days) for kind, days in delays_days.items()},
        lookback=timedelta(days=settings.tally_lookback_days),
        sends_mails=sends_mails(settings),
    )
