"""What the mutations about people ask first: may the viewer do such a thing, and do they see this person?"""

from __future__ import annotations

from uuid import UUID

from resolvers.context import OperationContext, context_of
from resolvers.entities.people import JOB_SEEKER
from resolvers.errors import Forbidden
from resolvers.loaders import rows_by
from resolvers.selection import NOTHING
from resolvers.viewer import Permission
from schema.info import Info


def may(info: Info, permission: Permission) -> OperationContext:
    """Return the context of an operation that is about to write. Raises Unauthenticated, Forbidden."""
    context = context_of(info.raw)
    if not context.signed_in().has(permission):
        raise Forbidden(f"this needs the permission {permission.value}")
    context.forget_rows()
    return context


async def sees_job_seeker(context: OperationContext, key: UUID) -> bool:
    return bool(await rows_by(context, JOB_SEEKER, NOTHING, "{t}.id = :key", {"key": key}))
