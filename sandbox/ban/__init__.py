"""The geocoder over the Base Adresse Nationale, simulated: search, suggestions, files."""

from sandbox.ban.partner import BanSettings, SimulatedBan

__all__ = ["BanSettings", "SimulatedBan"]
