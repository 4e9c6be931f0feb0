"""Scalars of French administration. Parsed at the door: inside, a SIRET is a SIRET."""

from __future__ import annotations

from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from models.identifiers import InvalidIdentifier, parse_nir, parse_siret
from schema.info import Info

NIR = NewType("NIR", str)
SIRET = NewType("SIRET", str)
URL = NewType("URL", str)


def _refusal(error: InvalidIdentifier) -> GraphQLError:
    return GraphQLError(str(error), extensions={"code": "BAD_USER_INPUT"})


def _parse_nir(value: object) -> NIR:
    try:
        return NIR(parse_nir(str(value)))
    except InvalidIdentifier as error:
        raise _refusal(error) from None


def _parse_siret(value: object) -> SIRET:
    try:
        return SIRET(parse_siret(str(value)))
    except InvalidIdentifier as error:
        raise _refusal(error) from None


def _text(value: object) -> str:
    return str(value)


def configuration(*, hide_suggestions: bool) -> StrawberryConfig:
    return StrawberryConfig(
        disable_field_suggestions=hide_suggestions,
        info_class=Info,
        scalar_map={
            NIR: strawberry.scalar(
                name="NIR",
                description=(
                    "15 characters, checked (key = 97 - n mod 97)."
                    " Serialised masked (`1 85 05 •• ••• ••• ••`) unless FULL is asked for and allowed."
                ),
                serialize=_text,
                parse_value=_parse_nir,
            ),
            SIRET: strawberry.scalar(
                name="SIRET",
                description="14 digits, Luhn-checked (La Poste exception included).",
                serialize=_text,
                parse_value=_parse_siret,
            ),
            URL: strawberry.scalar(name="URL", serialize=_text, parse_value=lambda value: URL(str(value))),
        },
    )
