"""Companies, prescriber organisations and institutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from models.enums import CompanyKind
from resolvers.entities.organizations import COMPANY
from resolvers.establishments import establishment_of
from resolvers.pages import read_child_page
from schema.filters import AppointmentFilter, JobApplicationFilter, appointment_filter, job_application_filter
from schema.info import Info
from schema.scalars import SIRET
from schema.types.connections import After, Before, Connection, First, Last, page_arguments
from schema.types.establishments import Establishment, establishment
from schema.types.geography import Department, PostalAddress, Region
from schema.types.node import Node

if TYPE_CHECKING:
    from schema.types.appointments import Appointment
    from schema.types.job_applications import JobApplication

_Appointment = Annotated["Appointment", strawberry.lazy("schema.types.appointments")]
_JobApplication = Annotated["JobApplication", strawberry.lazy("schema.types.job_applications")]


@strawberry.type
class Company(Node):
    siret: SIRET
    siren: str
    naf: str | None
    kind: CompanyKind
    name: str
    address: PostalAddress | None
    department: Department | None
    is_open_to_appointments: bool

    # What INSEE is asked by, whether or not `siret` was selected.
    establishment_siret: strawberry.Private[str]

    @strawberry.field(
        description=(
            "The legal record, live from INSEE; null where INSEE publishes none. Null with a PARTNER_UNAVAILABLE error"
            " when it gives no answer and none is remembered."
        )
    )
    async def establishment(self, info: Info) -> Establishment | None:
        return establishment(await establishment_of(info.raw, self.establishment_siret))

    @strawberry.field
    def job_applications(
        self,
        info: Info,
        filter: JobApplicationFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[_JobApplication]:
        return read_child_page(  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection
            info.raw,
            COMPANY,
            "jobApplications",
            self.pk,
            page_arguments(first, after, last, before),
            job_application_filter(filter),
        )

    @strawberry.field
    def appointments(
        self,
        info: Info,
        filter: AppointmentFilter | None = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[_Appointment]:
        return read_child_page(  # pyright: ignore[reportReturnType]: a Page has the shape of a Connection
            info.raw,
            COMPANY,
            "appointments",
            self.pk,
            page_arguments(first, after, last, before),
            appointment_filter(filter),
        )


@strawberry.type
class PrescriberOrganization(Node):
    kind: str
    name: str
    siret: SIRET | None
    is_authorized: bool
    department: Department | None


@strawberry.type
class Institution(Node):
    kind: str
    name: str
    department: Department | None
    region: Region | None


Organization = Annotated[Company | PrescriberOrganization | Institution, strawberry.union("Organization")]
