"""Relay's Node."""

from __future__ import annotations

from uuid import UUID

import strawberry


@strawberry.interface(description="Anything with a global id; `node(id:)` finds it again.")
class Node:
    id: strawberry.ID
    pk: strawberry.Private[UUID]
