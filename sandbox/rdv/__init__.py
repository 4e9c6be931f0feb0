"""RDV-Solidarités and RDV-Insertion, simulated: signing in, inviting, appointments and their webhooks."""

from collections.abc import Sequence
from typing import Any

import httpx

from sandbox.clock import Clock
from sandbox.partner import SimulatedPartner
from sandbox.rdv.insertion import SimulatedRDVInsertion
from sandbox.rdv.sessions import AgentSessions
from sandbox.rdv.settings import RDVInsertionSettings, RDVSolidaritesSettings
from sandbox.rdv.solidarites import SimulatedRDVSolidarites

__all__ = [
    "RDVInsertionSettings",
    "RDVSolidaritesSettings",
    "SimulatedRDVInsertion",
    "SimulatedRDVSolidarites",
    "simulate_rdv",
]


def simulate_rdv(clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None) -> Sequence[SimulatedPartner[Any]]:
    """Both, with the sessions that they share. `transport` carries the webhooks to a server in the same process."""
    sessions = AgentSessions(clock)
    return (
        SimulatedRDVSolidarites(RDVSolidaritesSettings(), clock, sessions),
        SimulatedRDVInsertion(RDVInsertionSettings(), clock, sessions, transport=transport),
    )
