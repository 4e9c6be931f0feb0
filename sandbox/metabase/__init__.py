"""Metabase, simulated: embedded dashboards behind signed tokens, and the exports of their cards."""

from sandbox.metabase.partner import SimulatedMetabase
from sandbox.metabase.settings import MetabaseSettings

__all__ = ["MetabaseSettings", "SimulatedMetabase"]
