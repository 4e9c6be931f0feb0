"""Pages of inclusion structures: cut from the whole list, by a position that survives its being read anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from clients.data_inclusion import DataInclusionMisconfigured, DirectoryFailure, Structure, directory_failure
from clients.errors import PartnerError
from models.enums import Partner
from resolvers.context import ResolveInfo, context_of
from resolvers.errors import APIError, BadUserInput, LimitExceeded
from resolvers.lookups import not_configured_error, unavailable_error
from resolvers.windows import Edge, Page, PageArguments, PageInfo
from services.inclusion_structures import (
    CommunesAwayError,
    InclusionStructures,
    StructureSearch,
    UnsupportedDepartmentError,
    position_of,
)

log = structlog.get_logger(__name__)

# The order of the list, and what its cursors hold: a structure's quality, negated, and its id.
_LIST = "InclusionStructure:quality"
_POSITION = (float, str)


async def read_structures(
    info: ResolveInfo, search: StructureSearch, arguments: PageArguments, show: Callable[[Structure], Any]
) -> Page:
    """Return the page of the structures that the platform does not hold, each as `show` makes it.

    Raises PartnerUnavailableError, BadUserInput for wrong arguments, LimitExceeded.
    """
    context = context_of(info)
    size = arguments.size()
    cursors = context.resources.cursors
    after = None if arguments.after is None else tuple(cursors.decode(_LIST, arguments.after, _POSITION))
    structures = context.resources.inclusion_structures
    if structures is None:
        raise not_configured_error(Partner.DATA_INCLUSION)
    await _take_search(info)
    found = await _find(structures, search)
    left = found if after is None else [structure for structure in found if position_of(structure) > after]
    shown = left[:size]
    edges = [Edge(show(structure), cursors.encode(_LIST, position_of(structure))) for structure in shown]
    page_info = PageInfo(
        has_next_page=len(left) > size,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Page([edge.node for edge in edges], edges, page_info, len(found))


async def _find(structures: InclusionStructures, search: StructureSearch) -> list[Structure]:
    try:
        return await structures.find(search)
    except UnsupportedDepartmentError:
        raise BadUserInput(
            "filter: departmentCode is none that data·inclusion knows; search an overseas collectivity by commune"
        ) from None
    except CommunesAwayError as error:
        if error.cause is None:
            raise not_configured_error(Partner.API_GEO) from None
        raise unavailable_error(Partner.API_GEO, error.cause) from None
    except PartnerError as error:
        raise _refusal(error) from None


def _refusal(error: PartnerError) -> APIError:
    if isinstance(error, DataInclusionMisconfigured):
        log.error("data_inclusion_misconfigured", operation=error.operation, http_status=error.http_status)
    if directory_failure(error) is DirectoryFailure.INVALID_ARGUMENT:
        return BadUserInput("filter: data·inclusion refuses these values")
    return unavailable_error(Partner.DATA_INCLUSION, error)


async def _take_search(info: ResolveInfo) -> None:
    """Raises LimitExceeded: a department is megabytes of the partner's, and no one may have all of them fetched."""
    context = context_of(info)
    throttle = context.resources.inclusion_structure_searches
    seconds = 0.0 if throttle is None else await throttle.take(f"account {context.viewer.user_id}")
    if seconds:
        raise LimitExceeded(f"too many searches of inclusion structures; try again in {seconds:.1f} seconds")
