"""Tally, simulated: the forms that our links lead to, and the webhook of each submission."""

from sandbox.tally.partner import SimulatedTally, TallySettings

__all__ = ["SimulatedTally", "TallySettings"]
