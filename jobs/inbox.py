"""What the inbox of a worker goes by."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from services.webhooks.processing import Appliers
from services.webhooks.retention import Retention
from services.webhooks.silence import Expectation


def _nobody() -> Appliers:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPlan:
    """Who applies what, how long bodies are kept, what is expected to come; `awake` is set when something came."""

    appliers: Appliers = field(default_factory=_nobody)
    retention: Retention = field(default_factory=Retention)
    expected: Sequence[Expectation] = ()
    awake: asyncio.Event = field(default_factory=asyncio.Event)
