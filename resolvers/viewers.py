"""From a token's claims to a viewer, in one SQL statement, at each operation: a revoked membership ends at once.

Who listens for long is looked up again and again, together with all others who do: one statement for any number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson

from models.enums import UserKind
from resolvers.statements import Statement
from resolvers.viewer import OrganizationType, Viewer
from services.tokens import Claims, InvalidToken

# Changes whenever a row changes that a viewer is made of, whoever changes it: of each, the transaction that wrote it.
_MARK = "concat(u.xmin, '.', m.xmin, '.', po.xmin, '.', i.xmin)"
_ORGANIZATION = """
    LEFT JOIN membership m ON m.user_id = u.id AND m.ended_at IS NULL
        AND {organization_id} IN (m.company_id, m.prescriber_organization_id, m.institution_id)
    LEFT JOIN prescriber_organization po ON po.id = m.prescriber_organization_id
    LEFT JOIN institution i ON i.id = m.institution_id
"""
MARK_NOW = (
    f'(SELECT {_MARK} FROM "user" u {_ORGANIZATION.format(organization_id=":supposed_organization_id::uuid")}'
    " WHERE u.id = :supposed_user_id::uuid LIMIT 1)"
)
"""An expression of SQL: the mark of a viewer as it is when the statement runs."""

# {asked} is who is asked for, with their `organization_id`; {user} and {partner} say how they are found.
_FOUND = """
    SELECT {number} u.id, u.kind, u.first_name, u.last_name, u.email, u.is_active, u.is_observer, u.is_operator,
        u.may_read_full_nir,
        m.id IS NOT NULL AS is_member, m.is_admin, m.company_id, m.prescriber_organization_id, m.institution_id,
        po.is_authorized, coalesce(i.department, '') AS department, coalesce(i.region, '') AS region,
        NULL::json AS scopes, NULL::uuid[] AS company_ids, {mark} AS mark
    FROM {asked} JOIN "user" u ON {user}
    {organization}
    UNION ALL
    SELECT {number} p.id, 'partner', '', '', '', p.revoked_at IS NULL, false, false,
        false, false, false, NULL, NULL, NULL, false, '', '',
        p.scopes::json, ARRAY(SELECT c.company_id FROM partner_client_company c WHERE c.partner_client_id = p.id), NULL
    FROM {asked} JOIN partner_client p ON {partner}
"""
_BY_SUBJECT = Statement(
    _FOUND.format(
        number="",
        mark=_MARK,
        organization=_ORGANIZATION.format(organization_id="asked.organization_id"),
        asked="(SELECT :subject::text AS subject, :organization_id::uuid AS organization_id) AS asked",
        user="u.subject = asked.subject",
        partner="p.subject = asked.subject",
    )
    + "LIMIT 1"
)
_BY_ID = Statement(
    _FOUND.format(
        number="asked.number,",
        mark="NULL",
        organization=_ORGANIZATION.format(organization_id="asked.organization_id"),
        asked=(
            "unnest(:numbers::int[], :ids::uuid[], :organization_ids::uuid[]) AS asked (number, id, organization_id)"
        ),
        user="u.id = asked.id",
        partner="p.id = asked.id",
    )
)


async def load_viewer(claims: Claims) -> Viewer:
    """Return who a verified token speaks for. Raises InvalidToken for an unknown account or an ended membership."""
    return (await load_marked_viewer(claims))[0]


async def load_marked_viewer(claims: Claims) -> tuple[Viewer, str | None]:
    """The same, with the viewer's mark (MARK_NOW). None for machine clients, whose lists have none."""
    rows = await _BY_SUBJECT.rows({"subject": claims.subject, "organization_id": claims.organization_id})
    if not rows or not rows[0]["is_active"]:
        raise InvalidToken("token: its account is unknown or closed")
    viewer = _viewer(rows[0], claims.organization_id)
    if claims.scopes is None:
        return viewer, rows[0]["mark"]
    if viewer.kind is not UserKind.PARTNER:
        raise InvalidToken("token: it was given to a machine client, and speaks for none")
    return replace(viewer, partner_scopes=viewer.partner_scopes & claims.scopes), None


async def reload_viewers(viewers: Sequence[Viewer]) -> list[Viewer | None]:
    """Return the viewers as they are by now, in their order. None: the account, or the membership, has ended."""
    rows = await _BY_ID.rows(
        {
            "numbers": list(range(len(viewers))),
            "ids": [viewer.user_id for viewer in viewers],
            "organization_ids": [viewer.organization_id for viewer in viewers],
        }
    )
    found: list[Viewer | None] = [None] * len(viewers)
    for row in rows:
        number: int = row["number"]
        if row["is_active"]:
            try:
                viewer = _viewer(row, viewers[number].organization_id)
            except InvalidToken:
                continue
            if viewer.kind is UserKind.PARTNER:
                # What a token was not given for, its holder does not gain while it lasts.
                viewer = replace(viewer, partner_scopes=viewer.partner_scopes & viewers[number].partner_scopes)
            found[number] = viewer
    return found


def _viewer(row: Any, organization_id: UUID | None) -> Viewer:
    if organization_id is not None and not row["is_member"]:
        raise InvalidToken("token: its account is not, or no longer, a member of the organisation in claim `org`")
    kind = UserKind(row["kind"])
    if kind is UserKind.PARTNER:
        return Viewer(
            kind=kind,
            user_id=row["id"],
            partner_scopes=frozenset(orjson.loads(row["scopes"])),
            partner_company_ids=tuple(row["company_ids"]),
        )
    organization_type, organization_id = next(
        (
            (organization_type, row[column])
            for organization_type, column in (
                (OrganizationType.COMPANY, "company_id"),
                (OrganizationType.PRESCRIBER_ORGANIZATION, "prescriber_organization_id"),
                (OrganizationType.INSTITUTION, "institution_id"),
            )
            if row[column] is not None
        ),
        (None, None),
    )
    return Viewer(
        kind=kind,
        user_id=row["id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"] or "",
        is_observer=row["is_observer"],
        is_operator=row["is_operator"],
        may_read_full_nir=row["may_read_full_nir"],
        organization_type=organization_type,
        organization_id=organization_id,
        organization_is_authorized=bool(row["is_authorized"]),
        organization_department=row["department"],
        organization_region=row["region"],
        is_organization_admin=bool(row["is_admin"]),
    )
