"""France Travail, simulated: tokens, certified identity search, PASS IAE update."""

from sandbox.france_travail.partner import SimulatedFranceTravail
from sandbox.france_travail.settings import FranceTravailSettings

__all__ = ["FranceTravailSettings", "SimulatedFranceTravail"]
