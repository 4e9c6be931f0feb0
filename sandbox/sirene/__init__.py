"""INSEE's Sirene, simulated: establishments by number and by search, for a key or for an account."""

from sandbox.sirene.partner import SimulatedSirene
from sandbox.sirene.settings import SireneSettings

__all__ = ["SimulatedSirene", "SireneSettings"]
