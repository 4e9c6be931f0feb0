"""A database of the size that performance is promised for, written by SQL alone in about a minute.

Every row follows from its number, so two seeds of one size are equal, and so are the answers compared over them. The
rows obey the constraints of the tables; what pages do not show (sealed numbers, webhooks, attempts) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import asyncpg

from models.database import connection_parameters

EMPLOYER_SUBJECT = "benchmark-employer"
PRESCRIBER_SUBJECT = "benchmark-prescriber"
JOB_SEEKER_SUBJECT = "benchmark-job-seeker"
INSPECTOR_SUBJECT = "benchmark-inspector"
STAFF_SUBJECT = "benchmark-staff"
PARTNER_SUBJECT = "benchmark-partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many rows. Three applications a job seeker, two participations an appointment, whatever the size."""

    companies: int = 1_000
    job_seekers: int = 200_000
    appointments: int = 100_000
    prescriber_organizations: int = 200

    @property
    def applications(self) -> int:
        return 3 * self.job_seekers

    def times(self, factor: float) -> Size:
        """Return a database of the same shape: a company has as many rows of its own as before."""
        return Size(
            companies=max(10, round(self.companies * factor)),
            job_seekers=max(2_000, round(self.job_seekers * factor)),
            appointments=max(1_000, round(self.appointments * factor)),
            prescriber_organizations=max(4, round(self.prescriber_organizations * factor)),
        )


LARGE = Size()
SMALL = LARGE.times(0.02)

_FUNCTIONS = """
CREATE FUNCTION pg_temp.key(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(kind || number)::uuid $$
"""
_FIRST_NAMES = "ARRAY['Adèle','Bakary','Chloé','Driss','Élodie','Fatou','Gaël','Hanaé','Ilyes','Jeanne','Kofi','Lison']"
_LAST_NAMES = "ARRAY['Arvor','Belmont','Cissé','Durieux','Esnault','Fontbel','Granval','Hadji','Imbault','Jorand']"
_KINDS = "ARRAY['ACI','AI','EI','ETTI','EITI','GEIQ']"
_STATES = "ARRAY['new','processing','accepted','postponed','refused','new']"

# Rows are numbered from 0. Job seeker s sent the applications 3s, 3s+1 and 3s+2; application a went to the company
# a modulo the number of companies. Three job seekers in four have an approval, which their first application led to.
# The third application was sent by a prescriber, of the organisation s modulo the number of organisations.
# Of a company's appointments one in three lies ahead, those of its newest applicants among them.
_TABLES = (
    f"""
    INSERT INTO company (id, number, siret, kind, name, brand, naf, email, phone, address_line_1, address_line_2,
        post_code, city, insee_code, department, rdv_solidarites_id, created_at, updated_at)
    SELECT pg_temp.key('company', n), n + 1, lpad((20000000000000 + n * 13)::text, 14, '0'),
        ({_KINDS})[1 + n % 6], 'Entreprise d''insertion ' || n, '', '8129B', '', '', n || ' rue des Ateliers', '',
        '69003', 'Lyon', '69383', '69', n + 1, now(), now()
    FROM generate_series(0, $1::bigint - 1) n
    """,
    f"""
    INSERT INTO "user" (id, kind, title, first_name, last_name, email, phone, is_active, is_operator,
        may_read_full_nir, created_at, updated_at)
    SELECT pg_temp.key('job_seeker', n), 'job_seeker', CASE n % 2 WHEN 0 THEN 'MME' ELSE 'M' END,
        ({_FIRST_NAMES})[1 + n % 12], ({_LAST_NAMES})[1 + n / 12 % 10] || '-' || n, 'personne-' || n || '@exemple.test',
        '', TRUE, FALSE, FALSE, now() - n * interval '1 minute', now()
    FROM generate_series(0, $2::bigint - 1) n
    """,
    """
    INSERT INTO job_seeker_profile (id, user_id, birthdate, pole_emploi_id, address_line_1, address_line_2, post_code,
        city, insee_code, department)
    SELECT pg_temp.key('job_seeker', n), pg_temp.key('job_seeker', n), date '1960-01-01' + (n % 16000)::int, '',
        n || ' rue des Ateliers', '', '69003', 'Lyon', '69383', '69'
    FROM generate_series(0, $2::bigint - 1) n
    """,
    """
    INSERT INTO prescriber_organization (id, number, kind, name, is_authorized, is_brsa, department, created_at)
    SELECT pg_temp.key('organization', n), n + 1, 'PLIE', 'PLIE numéro ' || n, TRUE, FALSE, '69', now()
    FROM generate_series(0, $4::bigint - 1) n
    """,
    """
    INSERT INTO "user" (id, kind, first_name, last_name, phone, is_active, is_operator, may_read_full_nir, created_at,
        updated_at)
    SELECT pg_temp.key('prescriber', n), 'prescriber', 'Prune', 'Conseil-' || n, '', TRUE, FALSE, FALSE, now(), now()
    FROM generate_series(0, $4::bigint - 1) n
    """,
    f"""
    INSERT INTO approval (id, number, start_at, end_at, job_seeker_id, origin_company_id, pe_notification_status,
        origin_siae_siret, origin_siae_kind, origin_sender_kind, origin_prescriber_organization_kind, created_at,
        updated_at)
    SELECT pg_temp.key('approval', n), '99999' || lpad(n::text, 7, '0'), today.day - (n % 900)::int,
        today.day - (n % 900)::int + 729, pg_temp.key('job_seeker', n), pg_temp.key('company', 3 * n % $1::bigint),
        CASE WHEN n % 40 = 1 THEN 'notification_error' ELSE 'notification_success' END,
        lpad((20000000000000 + 3 * n % $1::bigint * 13)::text, 14, '0'),
        ({_KINDS})[1 + 3 * n % $1::bigint % 6], 'job_seeker', '', now() - (n % 900) * interval '1 day', now()
    FROM generate_series(0, $2::bigint - 1) n, (SELECT current_date AS day) today WHERE n % 4 <> 0
    """,
    f"""
    INSERT INTO job_application (id, state, sender_kind, has_resume, processed_at, approval_id, company_id,
        job_seeker_id, sender_id, sender_prescriber_organization_id, created_at, updated_at)
    SELECT pg_temp.key('application', n), CASE WHEN has.approval THEN 'accepted' ELSE ({_STATES})[1 + n % 6] END,
        CASE n % 3 WHEN 2 THEN 'prescriber' ELSE 'job_seeker' END, FALSE,
        CASE WHEN has.approval THEN now() - (n % 900) * interval '1 day' END,
        CASE WHEN has.approval THEN pg_temp.key('approval', n / 3) END, pg_temp.key('company', n % $1::bigint),
        pg_temp.key('job_seeker', n / 3),
        CASE n % 3 WHEN 2 THEN pg_temp.key('prescriber', n / 3 % $4::bigint) ELSE pg_temp.key('job_seeker', n / 3) END,
        CASE n % 3 WHEN 2 THEN pg_temp.key('organization', n / 3 % $4::bigint) END,
        now() - n * interval '20 seconds', now()
    FROM generate_series(0, 3 * $2::bigint - 1) n, LATERAL (SELECT n % 3 = 0 AND n / 3 % 4 <> 0 AS approval) has
    """,
    """
    INSERT INTO appointment (id, rdv_insertion_id, start_at, duration, status, source_status, reason_category, reason,
        is_collective, address, total_participants, max_participants, company_id)
    SELECT pg_temp.key('appointment', n), n + 1, date_trunc('hour', now()) + (30 - n / $1::bigint * 37 % 90) *
        interval '1 day', 1800000000, 'unknown', 'unknown', 'siae_interview', 'Entretien d''embauche', TRUE,
        '1 place des Essais, 69003 Lyon', 2, 2, pg_temp.key('company', n % $1::bigint)
    FROM generate_series(0, $3::bigint - 1) n
    """,
    # The participants of a company's appointments are its own latest applicants, two by two.
    """
    INSERT INTO participation (id, rdv_insertion_id, status, source_status, updated_at, appointment_id, job_seeker_id)
    SELECT pg_temp.key('participation', 2 * n + place), 2 * n + place,
        CASE WHEN has.taken_place THEN 'seen' ELSE 'unknown' END,
        CASE WHEN has.taken_place THEN 'seen' ELSE 'unknown' END, now() - n * interval '1 second',
        pg_temp.key('appointment', n), pg_temp.key('job_seeker', (n % $1::bigint
            + $1::bigint * (2 * (n / $1::bigint) + place)) % (3 * $2::bigint) / 3)
    FROM generate_series(0, $3::bigint - 1) n, generate_series(0, 1) place,
        LATERAL (SELECT n % 5 = 0 AND n / $1::bigint * 37 % 90 >= 30 AS taken_place) has
    """,
)
# One viewer of each kind, with rights over what is above.
_VIEWERS = f"""
INSERT INTO institution (id, number, kind, name, department, region, created_at)
VALUES (pg_temp.key('institution', 0), 1, 'DDETS_IAE', 'DDETS du Rhône', '69', '', now());

INSERT INTO "user" (id, kind, subject, first_name, last_name, phone, is_active, is_operator, may_read_full_nir,
    created_at, updated_at)
SELECT pg_temp.key(kind, 0), kind, subject, 'Alix', 'Mesure', '', TRUE, kind = 'staff', FALSE, now(), now()
FROM (VALUES ('employer', '{EMPLOYER_SUBJECT}'), ('labor_inspector', '{INSPECTOR_SUBJECT}'),
    ('staff', '{STAFF_SUBJECT}')) viewer (kind, subject);

UPDATE "user" SET subject = '{PRESCRIBER_SUBJECT}' WHERE id = pg_temp.key('prescriber', 1);
UPDATE "user" SET subject = '{JOB_SEEKER_SUBJECT}' WHERE id = pg_temp.key('job_seeker', 7);

INSERT INTO membership (id, user_id, company_id, prescriber_organization_id, institution_id, is_admin, created_at)
SELECT gen_random_uuid(), user_id, company_id, organization_id, institution_id, TRUE, now()
FROM (VALUES (pg_temp.key('employer', 0), pg_temp.key('company', 7), NULL, NULL),
    (pg_temp.key('prescriber', 1), NULL, pg_temp.key('organization', 1), NULL),
    (pg_temp.key('labor_inspector', 0), NULL, NULL, pg_temp.key('institution', 0))
) member (user_id, company_id, organization_id, institution_id);

INSERT INTO partner_client (id, subject, name, scopes, created_at)
VALUES (pg_temp.key('partner', 0), '{PARTNER_SUBJECT}', 'Logiciel de mesure',
    '["appointments:read", "participations:read"]', now());

INSERT INTO partner_client_company (partner_client_id, company_id)
SELECT pg_temp.key('partner', 0), pg_temp.key('company', n) FROM generate_series(0, 4) n;
"""
_ORGANIZATIONS = """
SELECT u.subject, coalesce(m.company_id, m.prescriber_organization_id, m.institution_id) AS organization_id
FROM membership m JOIN "user" u ON u.id = m.user_id
"""


async def seed(database_url: str, size: Size) -> dict[str, UUID]:
    """Fill a migrated, empty database; return the organisation that each viewer with one acts for, by their subject.

    The database's user must be a superuser.
    """
    connection = cast("Any", await asyncpg.connect(**connection_parameters(database_url)))
    try:
        await connection.execute(_FUNCTIONS)
        async with connection.transaction():
            # Neither triggers nor foreign keys: the rows are right by construction, and a minute would become ten.
            await connection.execute("SET LOCAL session_replication_role = replica")
            for statement in _TABLES:
                await connection.execute(_inlined(statement, size))
            await connection.execute(_VIEWERS)
            rows = await connection.fetch(_ORGANIZATIONS)
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()
    return {row["subject"]: row["organization_id"] for row in rows}


def _inlined(statement: str, size: Size) -> str:
    """Not every statement names every number, and an unused parameter is an error: numbers of ours may be inlined."""
    sizes = (size.companies, size.job_seekers, size.appointments, size.prescriber_organizations)
    for place, value in enumerate(sizes, start=1):
        statement = statement.replace(f"${place}::bigint", f"{value}")
    return statement
