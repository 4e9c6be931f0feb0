"""What a resolver is told about its field."""

from __future__ import annotations

from typing import Any, cast

import strawberry

from resolvers.context import OperationContext, ResolveInfo


class Info(strawberry.Info[OperationContext, Any]):
    """Strawberry's info, with the way through to graphql-core's, which the read layer works from."""

    @property
    def raw(self) -> ResolveInfo:
        return cast("ResolveInfo", self._raw_info)
