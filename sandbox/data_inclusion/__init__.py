"""data·inclusion, simulated: structures, services and sources of an invented directory."""

from sandbox.data_inclusion.partner import SimulatedDataInclusion
from sandbox.data_inclusion.settings import DataInclusionSettings

__all__ = ["DataInclusionSettings", "SimulatedDataInclusion"]
