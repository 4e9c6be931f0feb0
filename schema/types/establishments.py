"""An establishment as INSEE's register has it."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import strawberry

from clients.sirene import Establishment as EstablishmentRecord
from models.departments import DEPARTMENTS, department_code_of
from models.naf import division_label
from schema.scalars import SIRET
from schema.types.geography import Department, PostalAddress
from services.lookups import Answer


@strawberry.type(description="The legal record of an establishment: INSEE's, as it publishes it to everybody.")
class Establishment:
    siret: SIRET
    siren: str
    legal_name: str | None = strawberry.field(
        description="Null where INSEE does not publish it: sole proprietors who asked for partial disclosure."
    )
    trade_name: str | None
    address: PostalAddress | None
    naf: str | None = strawberry.field(description="In the nomenclature of today, without a dot: `8899B`.")
    naf_label: str | None = strawberry.field(description="Of the division, the two first digits of `naf`.")
    is_open: bool = strawberry.field(description="Neither the establishment is closed nor its legal unit ceased.")
    is_head_office: bool
    is_partially_disclosed: bool
    fetched_at: datetime = strawberry.field(
        description="When INSEE said so: up to a day ago, up to a week while it cannot be asked."
    )


def establishment(answer: Answer[EstablishmentRecord] | None) -> Establishment | None:
    """Return an establishment as the API shows it; None for none."""
    record = answer.value if answer is not None else None
    if answer is None or record is None:
        return None
    return Establishment(
        siret=SIRET(record.siret),
        siren=record.siren,
        legal_name=record.name,
        trade_name=record.trade_name,
        address=_address(record),
        naf=record.naf,
        naf_label=division_label(record.naf),
        is_open=is_open(record),
        is_head_office=record.is_head_office,
        is_partially_disclosed=record.is_partially_disclosed,
        fetched_at=answer.fetched_at,
    )


def is_open(record: EstablishmentRecord) -> bool:
    return not (record.is_closed or record.is_legal_unit_ceased)


def _address(record: EstablishmentRecord) -> PostalAddress | None:
    parts = (record.address_line_1, record.address_line_2, record.post_code, record.city, record.insee_code)
    if not any(parts):
        return None
    code = department_code_of(insee_code=record.insee_code, post_code=record.post_code)
    return PostalAddress(
        line1=record.address_line_1,
        line2=record.address_line_2,
        post_code=record.post_code,
        city=record.city,
        insee_code=record.insee_code,
        coordinates=None,
        geocoding_score=None,
        department=cast("Department | None", DEPARTMENTS.get(code or "")),  # a record has the fields of its type
        address_insee_code=record.insee_code,
    )
