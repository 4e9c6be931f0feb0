"""API Géo, simulated: communes, departments and regions."""

from sandbox.geo.partner import GeoSettings, SimulatedGeo

__all__ = ["GeoSettings", "SimulatedGeo"]
