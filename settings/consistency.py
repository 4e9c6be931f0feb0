"""What settings must be together: a partner wholly or not at all, and in production nothing that others could read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from urllib.parse import urlsplit

from clients.mail import MailConfig, Security
from settings import checks
from settings.deployment import DEVELOPMENT_KEY, Settings
from settings.variables import Secret, variables_of

# Whoever guesses it writes appointments into the database.
_SHORTEST_WEBHOOK_SECRET = 16
# A partner is configured wholly or not at all.
_WHOLES = {
    "FT_": ("FT_BASE_URL", "FT_AUTH_BASE_URL_PARTENAIRE", "FT_CLIENT_ID", "FT_CLIENT_SECRET"),
    "API_PARTICULIER_": ("API_PARTICULIER_BASE_URL", "API_PARTICULIER_TOKEN", "API_PARTICULIER_RECIPIENT"),
    "mail": ("SMTP_URL", "MAIL_FROM"),
    "DATA_INCLUSION_": ("DATA_INCLUSION_BASE_URL", "DATA_INCLUSION_TOKEN"),
    "METABASE_": ("METABASE_SITE_URL", "METABASE_SECRET_KEY"),
    "RDV_": (
        "RDV_SOLIDARITES_API_BASE_URL",
        "RDV_SOLIDARITES_EMAIL",
        "RDV_SOLIDARITES_PASSWORD",
        "RDV_INSERTION_API_BASE_URL",
    ),
}
_ACCOUNT_OF_SIRENE = (
    "SIRENE_AUTH_URL",
    "SIRENE_CLIENT_ID",
    "SIRENE_CLIENT_SECRET",
    "SIRENE_USERNAME",
    "SIRENE_PASSWORD",
)
_FORMS = (
    "TALLY_FORM_POST_HIRING_EMPLOYER",
    "TALLY_FORM_POST_HIRING_JOB_SEEKER",
    "TALLY_FORM_PRESCRIBER_SATISFACTION",
)
# What goes there may stay on the machine, where nobody listens in.
_MAY_BE_LOCAL = "OTEL_EXPORTER_OTLP_ENDPOINT"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def problems_of(settings: Settings) -> list[str]:
    """Return a sentence for each, which names the variables."""
    return [
        *chain.from_iterable(_half_given(settings, group, names) for group, names in _WHOLES.items()),
        *_sirene_problems(settings),
        *_metabase_problems(settings),
        *_tally_problems(settings),
        *_document_problems(settings),
        *_metrics_problems(settings),
        *_production_problems(settings),
    ]


def _half_given(settings: Settings, group: str, names: Sequence[str]) -> list[str]:
    if missing := _missing(settings, names):
        return [f"{', '.join(missing)}: missing, although other {group} variables are set: set all of them or none"]
    return []


def _missing(settings: Settings, names: Sequence[str]) -> list[str]:
    """Return those that are not given, where others are."""
    missing = [name for name in names if getattr(settings, name.lower()) is None]
    return missing if len(missing) < len(names) else []


def _sirene_problems(settings: Settings) -> list[str]:
    missing = _missing(settings, _ACCOUNT_OF_SIRENE)
    if settings.sirene_api_key is None and missing:
        return [
            f"{', '.join(missing)}: missing, although other variables of Sirene's token are set: set all of them,"
            " or SIRENE_API_KEY"
        ]
    return []


def _tally_problems(settings: Settings) -> list[str]:
    given = {name: form for name in _FORMS if (form := getattr(settings, name.lower())) is not None}
    forms = [*given.values()]
    names = ", ".join(given)
    if forms and settings.tally_url is None:
        return [f"TALLY_URL: missing, although {names} is set: set it as well"]
    if len(set(forms)) < len(forms):
        # An answer says its form and not its kind.
        return [f"{names}: one form is given twice, each kind of survey needs a form of its own"]
    return []


def _metabase_problems(settings: Settings) -> list[str]:
    if settings.is_production and settings.metabase_site_url is not None and settings.public_url is None:
        return ["PUBLIC_URL: required in production with METABASE_SITE_URL: links to exports begin with it"]
    return []


def _document_problems(settings: Settings) -> list[str]:
    if settings.graphql_trusted_documents_only_for and not settings.graphql_trusted_documents:
        return ["GRAPHQL_TRUSTED_DOCUMENTS: missing, although GRAPHQL_TRUSTED_DOCUMENTS_ONLY_FOR is set"]
    return []


def _metrics_problems(settings: Settings) -> list[str]:
    if settings.metrics_token is None and settings.metrics_worker_host not in _LOOPBACK:
        return ["METRICS_TOKEN: required with a METRICS_WORKER_HOST that other machines reach"]
    return []


def _production_problems(settings: Settings) -> list[str]:
    if not settings.is_production:
        return []
    problems: list[str] = []
    if settings.secret_key.reveal() == DEVELOPMENT_KEY or len(settings.secret_key.reveal()) < 32:
        problems.append("SECRET_KEY: a key of its own, of at least 32 characters, is required in production")
    if not settings.encryption_keys:
        problems.append("ENCRYPTION_KEYS: required in production (32 random bytes in base64)")
    if settings.fingerprint_key is None:
        problems.append("FINGERPRINT_KEY: required in production (32 random bytes in base64)")
    if settings.auth_hs256_key is not None:
        problems.append("AUTH_HS256_KEY: refused in production; set AUTH_JWKS_URL")
    if settings.auth_jwks_url is None:
        problems.append("AUTH_JWKS_URL: required in production")
    problems += [
        f"{name}: each secret is required to have at least {_SHORTEST_WEBHOOK_SECRET} characters in production"
        for name, signing in (
            ("RDV_INSERTION_WEBHOOK_SECRET", settings.rdv_insertion_webhook_secret),
            ("TALLY_WEBHOOK_SECRET", settings.tally_webhook_secret),
        )
        if any(len(secret.reveal()) < _SHORTEST_WEBHOOK_SECRET for secret in signing)
    ]
    if settings.smtp_url is not None and _relay_is_exposed(settings.smtp_url):
        problems.append("SMTP_URL: smtps:// or smtp+starttls:// is required in production, except on loopback")
    if settings.otel_exporter_otlp_endpoint is not None and _collector_is_exposed(settings.otel_exporter_otlp_endpoint):
        problems.append("OTEL_EXPORTER_OTLP_ENDPOINT: https:// is required in production, except on loopback")
    problems += [
        f"{one.name}: an https:// URL is required in production"
        for one in variables_of(Settings).values()
        if one.rules.check in (checks.http_url, checks.forms_url) and one.name != _MAY_BE_LOCAL
        if not (getattr(settings, one.attribute) or "https://").startswith("https://")
    ]
    return problems


def _relay_is_exposed(smtp_url: Secret) -> bool:
    relay = MailConfig.from_url(smtp_url.reveal(), sender="")
    return relay.security is Security.NONE and relay.host not in _LOOPBACK


def _collector_is_exposed(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    return parts.scheme != "https" and parts.hostname not in _LOOPBACK
