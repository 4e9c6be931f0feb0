"""The endpoint again, as an attacker or a curious colleague meets it."""

from __future__ import annotations

from tests.integration.schema.conftest import engine, graphql, resources, rung

__all__ = ["engine", "graphql", "resources", "rung"]
