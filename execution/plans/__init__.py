"""Compiled execution plans for Strawberry schemas: see execution/README.md."""

from execution.plans.cache import PlanCache
from execution.plans.readers import Read, read_field
from execution.plans.runtime import PlannedExecutor

__all__ = ["PlanCache", "PlannedExecutor", "Read", "read_field"]
