"""The operations dashboard under /ops: what operators see, and press. French, rendered here, live by event streams."""

from ops.dashboard.application import Dashboard
from ops.dashboard.parts import Parts

__all__ = ["Dashboard", "Parts"]
