"""What a deployment may set, and what stops the start: one sentence a problem, each naming its variable."""

from __future__ import annotations

import base64
import dataclasses
import os
from datetime import timedelta

import pytest

from settings import (
    DEVELOPMENT_KEY,
    Environment,
    Secret,
    Settings,
    SettingsError,
    load_settings,
    variables_of,
)

SECRET = "a-secret-of-its-own-that-nobody-else-knows"
KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()
FRANCE_TRAVAIL = {
    "FT_BASE_URL": "https://api.exemple.test/partenaire",
    "FT_AUTH_BASE_URL_PARTENAIRE": "https://auth.exemple.test",
    "FT_CLIENT_ID": "client",
    "FT_CLIENT_SECRET": "partner-secret",
}
API_PARTICULIER = {
    "API_PARTICULIER_BASE_URL": "https://particulier.exemple.test",
    "API_PARTICULIER_TOKEN": SECRET,
    "API_PARTICULIER_RECIPIENT": "13003013300016",
}
SIRENE_ACCOUNT = {
    "SIRENE_AUTH_URL": "https://auth.exemple.test/openid-connect",
    "SIRENE_CLIENT_ID": "client",
    "SIRENE_CLIENT_SECRET": "account-secret",
    "SIRENE_USERNAME": "compte",
    "SIRENE_PASSWORD": "account-password",
}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": SECRET,
    "ENCRYPTION_KEYS": KEY,
    "FINGERPRINT_KEY": OTHER_KEY,
    "AUTH_JWKS_URL": "https://identite.exemple.test/jwks",
}


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables_of(Settings):
        monkeypatch.delenv(name.upper(), raising=False)


def load(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def refusal(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load(environment, monkeypatch)
    # The cause would hold the input, secrets included.
    assert refused.value.__cause__ is None
    return str(refused.value).splitlines()


def test_nothing_set_is_a_development_server_with_every_partner_off(monkeypatch: pytest.MonkeyPatch):
    settings = load({}, monkeypatch)

    assert settings.environment is Environment.DEVELOPMENT
    assert not settings.is_production
    assert not settings.france_travail_is_configured
    assert settings.host == "127.0.0.1"


def test_a_variable_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch):
    settings = load({"FT_BASE_URL": "", "PORT": "", "ENCRYPTION_KEYS": ""}, monkeypatch)

    assert settings.ft_base_url is None
    assert settings.port == 8000
    assert settings.encryption_keys == ()


def test_variables_that_are_not_ours_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    assert load({"PATH": os.environ["PATH"], "TRAVERSE_UNHEARD_OF": "1"}, monkeypatch)


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ENVIRONMENT", "staging", "ENVIRONMENT: development, test or production is expected"),
        ("DATABASE_URL", "mysql://localhost/traverse", "DATABASE_URL: a postgresql:// URL is expected"),
        (
            "REDIS_URL",
            "memcached://localhost",
            "REDIS_URL: a redis://, rediss:// or redis+sentinel:// URL is expected",
        ),
        ("PORT", "0", "PORT: a whole number from 1 to 65535 is expected"),
        ("PORT", "65536", "PORT: a whole number from 1 to 65535 is expected"),
        ("PORT", "http", "PORT: a whole number from 1 to 65535 is expected"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL: DEBUG, INFO, WARNING or ERROR is expected"),
        ("DATABASE_POOL_SIZE", "1", "DATABASE_POOL_SIZE: a whole number from 2 to 200 is expected"),
        ("DATABASE_POOL_SIZE", "201", "DATABASE_POOL_SIZE: a whole number from 2 to 200 is expected"),
        (
            "DATABASE_STATEMENT_CACHE_SIZE",
            "-1",
            "DATABASE_STATEMENT_CACHE_SIZE: a whole number from 0 is expected",
        ),
        ("DATABASE_STATEMENT_TIMEOUT", "0", "DATABASE_STATEMENT_TIMEOUT: a number of seconds above 0 is expected"),
        ("DATABASE_STATEMENT_TIMEOUT", "soon", "DATABASE_STATEMENT_TIMEOUT: a number of seconds above 0 is expected"),
        ("REQUEST_DEADLINE", "-1", "REQUEST_DEADLINE: a number of seconds above 0 is expected"),
        ("REQUEST_DEADLINE", "inf", "REQUEST_DEADLINE: a number of seconds is expected"),
        ("REQUEST_DEADLINE", "nan", "REQUEST_DEADLINE: a number of seconds above 0 is expected"),
        ("AUTH_LEEWAY", "-1", "AUTH_LEEWAY: a number of seconds from 0 to 300 is expected"),
        ("AUTH_LEEWAY", "3600", "AUTH_LEEWAY: a number of seconds from 0 to 300 is expected"),
        ("AUTH_JWKS_URL", "identite.exemple.test", "AUTH_JWKS_URL: an http:// or https:// URL is expected"),
        ("AUTH_JWKS_URL", "https://", "AUTH_JWKS_URL: an http:// or https:// URL is expected"),
        ("BAN_BASE_URL", "ban.exemple.test", "BAN_BASE_URL: an http:// or https:// URL is expected"),
        ("API_GEO_BASE_URL", "geo.exemple.test", "API_GEO_BASE_URL: an http:// or https:// URL is expected"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.0/8,everybody",
            'TRUSTED_PROXIES: "everybody": an IP address, or a network as in 10.0.0.0/8, is expected',
        ),
        ("TRUSTED_PROXIES", "*", 'TRUSTED_PROXIES: "*": an IP address, or a network as in 10.0.0.0/8, is expected'),
        ("RATE_LIMIT_ACCOUNT_POINTS", "0", "RATE_LIMIT_ACCOUNT_POINTS: a whole number from 1 is expected"),
        (
            "GRAPHQL_INTROSPECTION",
            "friends",
            "GRAPHQL_INTROSPECTION: everyone, signed_in, staff or nobody is expected",
        ),
        ("AUTH_HS256_KEY", "short", "AUTH_HS256_KEY: at least 32 characters expected"),
        ("ENCRYPTION_KEYS", "not base64!", "ENCRYPTION_KEYS: not base64; 32 bytes in base64 expected"),
        ("ENCRYPTION_KEYS", f"{KEY},c2hvcnQ=", "ENCRYPTION_KEYS: 5 bytes, 32 expected"),
        ("FINGERPRINT_KEY", "not base64!", "FINGERPRINT_KEY: not base64; 32 bytes in base64 expected"),
        ("FINGERPRINT_KEY", "c2hvcnQ=", "FINGERPRINT_KEY: 5 bytes, 32 expected"),
        ("GRAPHQL_MAX_BODY_BYTES", "10", "GRAPHQL_MAX_BODY_BYTES: a whole number from 1000 is expected"),
        ("GRAPHQL_MAX_DEPTH", "0", "GRAPHQL_MAX_DEPTH: a whole number from 1 is expected"),
        ("GRAPHQL_MAX_COST", "99", "GRAPHQL_MAX_COST: a whole number from 100 is expected"),
        ("FT_TIMEOUT_SECONDS", "0", "FT_TIMEOUT_SECONDS: a number above 0 is expected"),
        ("FT_TOKEN_TIMEOUT_SECONDS", "0", "FT_TOKEN_TIMEOUT_SECONDS: a number above 0 is expected"),
        ("FT_TOKEN_MARGIN_SECONDS", "-1", "FT_TOKEN_MARGIN_SECONDS: a whole number from 0 is expected"),
        ("FT_MAX_RPS", "0", "FT_MAX_RPS: a number above 0 is expected"),
        ("PASS_IAE_BATCH_SIZE", "0", "PASS_IAE_BATCH_SIZE: a whole number from 1 to 10000 is expected"),
        ("CERTIFICATION_BATCH_SIZE", "10001", "CERTIFICATION_BATCH_SIZE: a whole number from 1 to 10000 is expected"),
        (
            "PASS_IAE_NOTIFICATIONS_ENABLED",
            "maybe",
            "PASS_IAE_NOTIFICATIONS_ENABLED: true or false is expected",
        ),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_sentence_that_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
):
    assert refusal({variable: value}, monkeypatch) == [sentence]


@pytest.mark.parametrize("missing", FRANCE_TRAVAIL)
def test_a_partner_is_configured_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch, missing: str):
    given = {name: value for name, value in FRANCE_TRAVAIL.items() if name != missing}

    [sentence] = refusal(given, monkeypatch)

    assert sentence.startswith(f"{missing}: missing")


def test_the_directory_is_configured_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch):
    assert refusal({"DATA_INCLUSION_BASE_URL": "https://annuaire.exemple.test"}, monkeypatch) == [
        "DATA_INCLUSION_TOKEN: missing, although other DATA_INCLUSION_ variables are set: set all of them or none"
    ]


@pytest.mark.parametrize("missing", SIRENE_ACCOUNT)
def test_an_account_of_sirene_is_given_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch, missing: str):
    given = {name: value for name, value in SIRENE_ACCOUNT.items() if name != missing}

    [sentence] = refusal(given, monkeypatch)

    assert sentence.startswith(f"{missing}: missing")


def test_a_key_of_sirene_is_enough(monkeypatch: pytest.MonkeyPatch):
    settings = load({"SIRENE_API_KEY": SECRET, "SIRENE_USERNAME": "compte"}, monkeypatch)

    assert settings.sirene_api_key is not None
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("name", ["SIRENE_BASE_URL", "SIRENE_AUTH_URL"])
def test_sirene_is_reached_by_https_in_production(monkeypatch: pytest.MonkeyPatch, name: str):
    given = PRODUCTION | SIRENE_ACCOUNT | {name: "http://sirene.exemple.test"}

    assert refusal(given, monkeypatch) == [f"{name}: an https:// URL is required in production"]


def test_a_partner_that_is_wholly_configured_is_on(monkeypatch: pytest.MonkeyPatch):
    assert load(FRANCE_TRAVAIL, monkeypatch).france_travail_is_configured


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch):
    sentences = refusal({"PORT": "x", "REDIS_URL": "x://", "FINGERPRINT_KEY": ""}, monkeypatch)

    assert [sentence.partition(":")[0] for sentence in sentences] == ["REDIS_URL", "PORT"]


def test_a_complete_production_environment_starts(monkeypatch: pytest.MonkeyPatch):
    assert load(PRODUCTION | FRANCE_TRAVAIL, monkeypatch).is_production


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: a key of its own, of at least 32 characters, is required in production"),
        (
            {"SECRET_KEY": DEVELOPMENT_KEY},
            "SECRET_KEY: a key of its own, of at least 32 characters, is required in production",
        ),
        (
            {"SECRET_KEY": "short"},
            "SECRET_KEY: a key of its own, of at least 32 characters, is required in production",
        ),
        ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS: required in production (32 random bytes in base64)"),
        ({"FINGERPRINT_KEY": ""}, "FINGERPRINT_KEY: required in production (32 random bytes in base64)"),
        ({"AUTH_HS256_KEY": SECRET}, "AUTH_HS256_KEY: refused in production; set AUTH_JWKS_URL"),
        ({"AUTH_JWKS_URL": ""}, "AUTH_JWKS_URL: required in production"),
        (
            {"AUTH_JWKS_URL": "http://identite.exemple.test/jwks"},
            "AUTH_JWKS_URL: an https:// URL is required in production",
        ),
        ({"FT_BASE_URL": "http://api.exemple.test"}, "FT_BASE_URL: an https:// URL is required in production"),
        ({"BAN_BASE_URL": "http://ban.exemple.test"}, "BAN_BASE_URL: an https:// URL is required in production"),
        (
            {"API_GEO_BASE_URL": "http://geo.exemple.test"},
            "API_GEO_BASE_URL: an https:// URL is required in production",
        ),
        (
            {
                "METABASE_SITE_URL": "http://stats.exemple.test",
                "METABASE_SECRET_KEY": "5a" * 32,
                "PUBLIC_URL": "https://traverse.exemple.test",
            },
            "METABASE_SITE_URL: an https:// URL is required in production",
        ),
        (
            {"METABASE_SITE_URL": "https://stats.exemple.test", "METABASE_SECRET_KEY": "5a" * 32},
            "PUBLIC_URL: required in production with METABASE_SITE_URL: links to exports begin with it",
        ),
        (
            {"DATA_INCLUSION_BASE_URL": "http://annuaire.exemple.test", "DATA_INCLUSION_TOKEN": SECRET},
            "DATA_INCLUSION_BASE_URL: an https:// URL is required in production",
        ),
        (
            {"FT_AUTH_BASE_URL_PARTENAIRE": "http://auth.exemple.test"},
            "FT_AUTH_BASE_URL_PARTENAIRE: an https:// URL is required in production",
        ),
    ],
)
def test_production_refuses_what_development_forgives(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], sentence: str
):
    assert refusal(PRODUCTION | FRANCE_TRAVAIL | change, monkeypatch) == [sentence]


def test_an_empty_production_environment_is_told_everything_it_lacks(monkeypatch: pytest.MonkeyPatch):
    sentences = refusal({"ENVIRONMENT": "production"}, monkeypatch)

    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "SECRET_KEY",
        "ENCRYPTION_KEYS",
        "FINGERPRINT_KEY",
        "AUTH_JWKS_URL",
    ]


SECRETS = PRODUCTION | FRANCE_TRAVAIL


def test_secrets_never_print(monkeypatch: pytest.MonkeyPatch):
    settings = load(SECRETS, monkeypatch)

    shown = f"{settings} {settings!r} {dataclasses.asdict(settings)} {settings.key_ring!r}"

    for secret in (SECRET, KEY, OTHER_KEY, FRANCE_TRAVAIL["FT_CLIENT_SECRET"], "kkkk", "oooo"):
        assert secret not in shown


def test_passwords_in_urls_do_not_print(monkeypatch: pytest.MonkeyPatch):
    settings = load(
        {"DATABASE_URL": "postgresql://traverse:hunter2@db/traverse", "REDIS_URL": "rediss://:hunter2@cache/0"},
        monkeypatch,
    )

    assert "hunter2" not in f"{settings} {settings!r}"
    assert "hunter2" in settings.database_url


def test_a_secret_shows_itself_to_whoever_asks_for_it_alone():
    secret = Secret("hidden")

    assert secret.reveal() == "hidden"
    assert "hidden" not in f"{secret} {secret!r} {[secret]}"
    assert secret == Secret("hidden")
    assert secret != Secret("other")
    assert secret != "hidden"
    assert len({secret, Secret("hidden")}) == 1


@pytest.mark.parametrize(
    ("text", "is_on"),
    [("true", True), ("1", True), ("Yes", True), ("on", True), ("FALSE", False), ("0", False), ("no", False)],
)
def test_flags_are_said_in_several_ways(monkeypatch: pytest.MonkeyPatch, text: str, is_on: bool):
    assert load({"GRAPHQL_COMPILED_PLANS": text}, monkeypatch).graphql_compiled_plans is is_on


def test_another_environment_than_the_processs_may_be_read():
    assert load_settings({"port": "9000", "SIRENE_MAX_PER_MINUTE": "2.5"}).port == 9000


@pytest.mark.parametrize(
    "wrong",
    [
        {"PORT": "wrong"},
        {"ENVIRONMENT": "wrong"},
        {"AUTH_HS256_KEY": "hidden-and-short"},
        {"FINGERPRINT_KEY": "hidden!"},
    ],
)
def test_a_refusal_repeats_no_secret(monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]):
    told = "\n".join(refusal(SECRETS | wrong, monkeypatch))

    for secret in (SECRET, KEY, OTHER_KEY, FRANCE_TRAVAIL["FT_CLIENT_SECRET"], "hidden"):
        assert secret not in told


def test_lists_are_separated_by_commas_and_spaces_do_not_count(monkeypatch: pytest.MonkeyPatch):
    settings = load(
        {
            "CORS_ALLOWED_ORIGINS": " https://a.exemple.test ,https://b.exemple.test,, ",
            "FT_SCOPES": "one, two",
            "ENCRYPTION_KEYS": f"{KEY}, {OTHER_KEY}",
        },
        monkeypatch,
    )

    assert settings.cors_allowed_origins == ("https://a.exemple.test", "https://b.exemple.test")
    assert settings.ft_scopes == ("one", "two")
    assert len(settings.encryption_keys) == 2


def test_durations_are_seconds(monkeypatch: pytest.MonkeyPatch):
    settings = load({"REQUEST_DEADLINE": "2.5", "AUTH_LEEWAY": "0"}, monkeypatch)

    assert settings.request_deadline == timedelta(seconds=2.5)
    assert settings.auth_leeway == timedelta(0)


def test_the_first_encryption_key_seals_and_all_open(monkeypatch: pytest.MonkeyPatch):
    before = load(PRODUCTION, monkeypatch).key_ring
    after = load(PRODUCTION | {"ENCRYPTION_KEYS": f"{OTHER_KEY},{KEY}"}, monkeypatch).key_ring

    assert after.open(before.seal("text")) == "text"
    assert after.keys[0] != before.keys[0]
    assert after.fingerprint("text") == before.fingerprint("text")


def test_keys_of_development_follow_the_secret_and_differ_by_purpose(monkeypatch: pytest.MonkeyPatch):
    settings = load({"SECRET_KEY": SECRET}, monkeypatch)
    other = load({"SECRET_KEY": SECRET + "!"}, monkeypatch)

    assert settings.derive_key("cursors") == settings.derive_key("cursors")
    purposes = {settings.derive_key(purpose) for purpose in ("cursors", "seal", "fingerprint")}
    assert len(purposes) == 3
    assert all(len(key) == 32 for key in purposes)
    assert other.derive_key("cursors") not in purposes
    assert other.key_ring != settings.key_ring


def test_settings_cannot_be_changed_after_the_start(monkeypatch: pytest.MonkeyPatch):
    settings = load({}, monkeypatch)

    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_every_variable_is_described():
    assert all(one.rules.description for one in variables_of(Settings).values())


@pytest.mark.parametrize("missing", API_PARTICULIER)
def test_api_particulier_is_configured_wholly_or_not_at_all(monkeypatch: pytest.MonkeyPatch, missing: str):
    given = {name: value for name, value in API_PARTICULIER.items() if name != missing}

    [sentence] = refusal(given, monkeypatch)

    assert sentence.startswith(f"{missing}: missing, although other API_PARTICULIER_ variables are set")


@pytest.mark.parametrize("recipient", ["130030133", "13003013300017", "not a number"])
def test_the_recipient_of_api_particulier_is_a_siret(monkeypatch: pytest.MonkeyPatch, recipient: str):
    sentences = refusal(API_PARTICULIER | {"API_PARTICULIER_RECIPIENT": recipient}, monkeypatch)

    assert sentences == ["API_PARTICULIER_RECIPIENT: a SIRET of 14 digits with a right key is expected"]


def test_the_token_of_api_particulier_travels_by_https_in_production(monkeypatch: pytest.MonkeyPatch):
    assert load(PRODUCTION | API_PARTICULIER, monkeypatch).is_production

    change = {"API_PARTICULIER_BASE_URL": "http://particulier.exemple.test"}

    assert refusal(PRODUCTION | API_PARTICULIER | change, monkeypatch) == [
        "API_PARTICULIER_BASE_URL: an https:// URL is required in production"
    ]
