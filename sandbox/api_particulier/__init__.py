"""API Particulier, simulated: three benefits, by civil status."""

from sandbox.api_particulier.partner import SimulatedApiParticulier
from sandbox.api_particulier.settings import ApiParticulierSettings

__all__ = ["ApiParticulierSettings", "SimulatedApiParticulier"]
