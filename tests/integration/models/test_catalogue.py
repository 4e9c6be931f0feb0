"""PostgreSQL holds every declared rule and none that is not declared; each refuses what it is there to refuse.

Tortoise builds tables without their CHECK and partial UNIQUE constraints and says nothing: only the catalogue tells.
"""

from __future__ import annotations

import re
from enum import Enum

import pytest
from tortoise import Tortoise
from tortoise.fields.data import CharEnumFieldInstance

from models.enums import UserKind
from tests.integration.models.conftest import RawSQL
from tests.integration.models.declared import (
    CHECKS,
    EXTENSIONS,
    FOREIGN_KEY_CHANGES,
    FOREIGN_KEYS,
    FUNCTIONS,
    INDEXES,
    KNOWN_VALUES,
    KNOWN_VALUES_CHANGES,
    SOMEBODY,
    TRIGGERS,
    UNIQUE_CONSTRAINTS,
    UNIQUE_INDEXES,
    Forbidden,
)
from tests.integration.models.rows import MAKERS, MEMBERSHIP_MAKERS

HISTORY = "tortoise_migrations"  # Tortoise's own table
UNKNOWN_VALUES = {
    f"{table}_{column}_known": Forbidden(table, KNOWN_VALUES_CHANGES.get((table, column), f"{column} = 'unheard_of'"))
    for table, column in KNOWN_VALUES
}
REFUSALS = [
    *((name, forbidden) for name, several in CHECKS.items() for forbidden in several),
    *UNKNOWN_VALUES.items(),
    *UNIQUE_CONSTRAINTS.items(),
    *UNIQUE_INDEXES.items(),
    *(
        (f"{table}_{column}_fkey", Forbidden(table, FOREIGN_KEY_CHANGES.get((table, column), f"{column} = {SOMEBODY}")))
        for table, column in FOREIGN_KEYS
    ),
]
ON_DELETE = {"c": "CASCADE", "n": "SET NULL", "r": "RESTRICT", "a": "NO ACTION", "d": "SET DEFAULT"}


async def constraints(raw: RawSQL, *kinds: str) -> set[str]:
    rows = await raw.fetch(
        "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
        " AND conrelid <> $1::regclass AND contype::text = ANY ($2)",
        HISTORY,
        list(kinds),
    )
    return {row["conname"] for row in rows}


async def test_the_database_holds_exactly_the_declared_checks(raw: RawSQL):
    assert await constraints(raw, "c") == CHECKS.keys() | UNKNOWN_VALUES.keys()


async def test_the_database_holds_exactly_the_declared_unique_and_exclusion_constraints(raw: RawSQL):
    assert await constraints(raw, "u", "x") == UNIQUE_CONSTRAINTS.keys()


async def test_the_database_holds_exactly_the_declared_foreign_keys(raw: RawSQL):
    rows = await raw.fetch(
        "SELECT source.relname AS source, attname, target.relname AS target, confdeltype::text AS on_delete"
        " FROM pg_constraint JOIN pg_class source ON source.oid = conrelid"
        " JOIN pg_class target ON target.oid = confrelid"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )

    found = {(row["source"], row["attname"]): (row["target"], ON_DELETE[row["on_delete"]]) for row in rows}

    assert found == FOREIGN_KEYS


async def test_the_database_holds_exactly_the_declared_indexes(raw: RawSQL):
    rows = await raw.fetch(
        "SELECT relname, indisunique FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE relnamespace = 'public'::regnamespace AND indrelid <> $1::regclass"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))",
        HISTORY,
    )

    assert {row["relname"] for row in rows if row["indisunique"]} == UNIQUE_INDEXES.keys()
    assert {row["relname"] for row in rows if not row["indisunique"]} == INDEXES


async def test_every_index_and_constraint_is_valid(raw: RawSQL):
    broken = await raw.fetch(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        " UNION ALL SELECT conname FROM pg_constraint WHERE NOT convalidated"
    )

    assert broken == []


async def test_the_database_holds_exactly_the_declared_triggers_and_all_are_on(raw: RawSQL):
    rows = await raw.fetch(
        "SELECT relname, tgname, tgenabled::text AS enabled FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
    )

    assert {(row["relname"], row["tgname"]) for row in rows} == TRIGGERS
    assert {row["enabled"] for row in rows} == {"O"}


async def test_the_database_holds_exactly_the_declared_functions_and_extensions(raw: RawSQL):
    functions = await raw.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"
    )
    extensions = await raw.fetch("SELECT extname FROM pg_extension")

    assert {row["proname"] for row in functions} == FUNCTIONS
    assert {row["extname"] for row in extensions} == EXTENSIONS


async def test_every_table_has_a_primary_key_and_a_maker_of_rows(raw: RawSQL):
    tables = await raw.fetch(
        "SELECT relname, (SELECT count(*) FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'p') AS keys"
        " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND oid <> $1::regclass",
        HISTORY,
    )

    assert {row["relname"] for row in tables} == MAKERS.keys()
    # The table between partner clients and companies is Tortoise's own: its pair is unique instead.
    assert {row["relname"] for row in tables if row["keys"] != 1} == {"partner_client_company"}


@pytest.mark.parametrize(
    ("name", "forbidden"), REFUSALS, ids=[f"{name}: {case.change}"[:90] for name, case in REFUSALS]
)
async def test_a_write_that_breaks_a_rule_is_refused_by_that_rule(raw: RawSQL, name: str, forbidden: Forbidden):
    make = MAKERS[forbidden.table] if forbidden.maker is None else MEMBERSHIP_MAKERS[forbidden.maker]
    for _ in range(forbidden.rows):
        await make()

    refused_by = await raw.refusal_of(f'UPDATE "{forbidden.table}" SET {forbidden.change}')

    assert refused_by == (forbidden.refused_by or name)


def enum_columns() -> list[tuple[str, str, type[Enum]]]:
    """Every enum column of every model, whatever is declared."""
    return [
        (model._meta.db_table, column, field.enum_type)
        for model in Tortoise.apps["models"].values()
        for column, field in model._meta.fields_map.items()
        if isinstance(field, CharEnumFieldInstance)
    ]


@pytest.mark.usefixtures("database")
async def test_every_enum_column_is_checked():
    assert {(table, column) for table, column, _ in enum_columns()} == set(KNOWN_VALUES)


async def test_the_database_accepts_exactly_the_members_of_each_enum(raw: RawSQL):
    rows = await raw.fetch(
        "SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE conname LIKE '%\\_known'"
    )
    accepted = {row["conname"]: set(re.findall(r"'([^']*)'", row["definition"])) for row in rows}

    expected = {f"{table}_{column}_known": {member.value for member in enum} for table, column, enum in enum_columns()}

    # A machine client signs in like a user and is none: it has a table of its own.
    expected["user_kind_known"] -= {UserKind.PARTNER.value}
    assert accepted == expected


async def test_what_is_only_almost_the_same_is_accepted(raw: RawSQL):
    for table in ("membership", "consent", "approval", "survey", "user", "job_seeker_profile"):
        await MAKERS[table]()
        await MAKERS[table]()

    # Ended, withdrawn, cancelled, not submitted, without address, without NIR: such rows may be alike.
    await raw.execute("UPDATE membership SET ended_at = now()")
    await raw.execute(
        "UPDATE membership SET (user_id, company_id) = (SELECT user_id, company_id FROM membership LIMIT 1)"
    )
    await raw.execute("UPDATE consent SET withdrawn_at = now()")
    await raw.execute("UPDATE consent SET job_seeker_id = (SELECT job_seeker_id FROM consent LIMIT 1)")
    await raw.execute("UPDATE approval SET cancelled_at = now()")
    await raw.execute("UPDATE approval SET job_seeker_id = (SELECT job_seeker_id FROM approval LIMIT 1)")
    await raw.execute("UPDATE survey SET submission_id = NULL")
    await raw.execute('UPDATE "user" SET email = NULL, subject = NULL')
    await raw.execute("UPDATE job_seeker_profile SET nir = NULL, nir_fingerprint = NULL, lack_of_nir_reason = 'NO_NIR'")


async def test_two_approvals_of_a_person_may_follow_each_other_and_not_share_a_day(raw: RawSQL):
    await MAKERS["approval"]()
    await MAKERS["approval"]()
    await raw.execute("UPDATE approval SET start_at = '2024-01-01', end_at = '2025-12-31'")
    follow = (
        "UPDATE approval SET job_seeker_id = (SELECT job_seeker_id FROM approval ORDER BY number LIMIT 1),"
        " start_at = CASE WHEN number = (SELECT min(number) FROM approval) THEN start_at ELSE $1::date END,"
        " end_at = CASE WHEN number = (SELECT min(number) FROM approval) THEN end_at ELSE '2027-12-31' END"
    )

    assert await raw.refusal_of(follow.replace("$1", "'2025-12-31'")) == "approval_one_at_a_time"
    assert await raw.execute(follow.replace("$1", "'2026-01-01'")) == "UPDATE 2"
