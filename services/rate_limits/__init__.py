"""How much one client may ask of this server: counted in each process, and shared between them through Valkey."""

from services.rate_limits.buckets import Limiter, Policy, Standing
from services.rate_limits.sharing import SharedCounts
from services.rate_limits.ways_in import Quotas, WaysIn, ways_in

__all__ = ["Limiter", "Policy", "Quotas", "SharedCounts", "Standing", "WaysIn", "ways_in"]
