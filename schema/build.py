"""The schema, put together once a process."""

from __future__ import annotations

from typing import cast

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema, print_schema

from execution.direct_calls import call_directly
from models.departments import DEPARTMENTS, REGIONS
from resolvers.reading import bind_type
from schema.info import Info
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import configuration
from schema.subscriptions import Subscription
from schema.types.appointments import Appointment, Invitation, InvitationRequest, Location, Participation
from schema.types.approvals import Approval, ApprovalNotification, NotificationAttempt
from schema.types.geography import Coordinates, PostalAddress
from schema.types.job_applications import DiagorienteInvitation, JobApplication, Survey
from schema.types.operations import WebhookEvent
from schema.types.organizations import Company, Institution, PrescriberOrganization
from schema.types.people import JobSeeker, User
from services.communes import MAX_COMMUNES
from services.geocoding import MAX_SUGGESTIONS

_NODES = (
    User,
    JobSeeker,
    Approval,
    NotificationAttempt,
    JobApplication,
    Survey,
    Company,
    PrescriberOrganization,
    Institution,
    Appointment,
    Location,
    Participation,
    InvitationRequest,
    Invitation,
    WebhookEvent,
)
# Of one viewer; of one dashboard. The fullest ones have fewer.
_MAX_DASHBOARDS, _MAX_CARDS = 12, 60
_PUBLIC_SECONDS = 3_600
_PARTS = (ApprovalNotification, PostalAddress, Coordinates, DiagorienteInvitation)


def build_schema(*, hide_suggestions: bool = False) -> GraphQLSchema:
    """Return the executable schema. `hide_suggestions`: errors do not propose names (production)."""
    for object_type in (*_NODES, *_PARTS):
        bind_type(object_type.__name__, object_type)
    schema = strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=_NODES,
        config=configuration(hide_suggestions=hide_suggestions),
    )
    core = schema._schema  # pyright: ignore[reportPrivateUsage]: execution/ runs graphql-core's schema itself
    call_directly(core, Info)
    _tell_sizes(core)
    _tell_what_is_public(core)
    return core


def _tell_sizes(schema: GraphQLSchema) -> None:
    """Tell the cost rule how long the lists are that are not short and have no pages (execution/limits.py)."""
    for type_name, field, rows in (
        ("Query", "departments", len(DEPARTMENTS)),
        ("Query", "dashboards", _MAX_DASHBOARDS),
        ("Dashboard", "cards", _MAX_CARDS),
        ("Query", "addressSuggestions", MAX_SUGGESTIONS),
        ("Query", "communes", MAX_COMMUNES),
        ("Region", "departments", max(len(region.department_codes) for region in REGIONS.values())),
    ):
        object_type = cast("GraphQLObjectType", schema.type_map[type_name])
        object_type.fields[field].extensions["rows"] = rows


def _tell_what_is_public(schema: GraphQLSchema) -> None:
    """Mark root fields whose answers are the same for everybody and change with a release (schema/documents.py)."""
    query = cast("GraphQLObjectType", schema.type_map["Query"])
    for field in ("departments", "department"):
        query.fields[field].extensions["public_seconds"] = _PUBLIC_SECONDS


def print_sdl() -> str:
    """Return the schema as text: what schema.graphql at the project's root must equal."""
    return print_schema(build_schema()).rstrip() + "\n"
