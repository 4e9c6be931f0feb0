"""Faults on demand: what `POST /_faults` asks for, and who gets which."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.calls import is_under
from sandbox.shapes import Shape


class FaultMoment(StrEnum):
    BEFORE = "before"  # the partner never sees the request
    AFTER = "after"  # the partner has acted on it, and only the answer goes wrong


class Fault(Shape):
    """One rule. The first one that matches a call and has something left is applied."""

    partner: str
    path: str | None = None
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    body: str | dict[str, Any] | list[Any] | None = None
    headers: Mapping[str, str] = {}
    delay_s: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    drip_s: Annotated[float, Meta(ge=0, le=60)] = 0.0  # between two bytes of the answer's body
    disconnect: bool = False
    times: Annotated[int, Meta(ge=1)] | None = None
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0
    when: FaultMoment = FaultMoment.BEFORE

    def __post_init__(self) -> None:
        if not (self.has_answer or self.disconnect or self.delay_s or self.drip_s):
            raise ValueError("this fault does nothing: give at least one of status, body, delay_s, drip_s, disconnect")
        if self.headers and not self.has_answer:
            raise ValueError("headers go with an answer: give status or body as well")

    @property
    def has_answer(self) -> bool:
        return self.status is not None or self.body is not None

    def answer(self) -> Response:
        status = self.status or 200
        if isinstance(self.body, dict | list):
            return JSONResponse(self.body, status_code=status, headers=self.headers)
        return PlainTextResponse(self.body or "", status_code=status, headers=self.headers)


class ActiveFault:
    """A rule with what is left of it."""

    def __init__(self, number: int, fault: Fault) -> None:
        self.number = number
        self.fault = fault
        self.applied = 0

    @property
    def is_spent(self) -> bool:
        return self.fault.times is not None and self.applied >= self.fault.times

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number, "applied": self.applied, **msgspec.to_builtins(self.fault)}


class FaultBoard:
    """The rules in force. The dice are seeded: the same calls in the same order meet the same faults."""

    def __init__(self, partners: Sequence[str], *, seed: int = 0) -> None:
        self._partners = frozenset(partners)
        self._faults: list[ActiveFault] = []
        self._numbers = 0
        self._dice = Random(seed)  # noqa: S311 - reproducible by design, protects nothing

    def add(self, fault: Fault) -> ActiveFault:
        """Raises ValueError when the partner is not simulated here."""
        if fault.partner not in self._partners:
            known = ", ".join(sorted(self._partners))
            raise ValueError(f'partner "{fault.partner}": not simulated here, expected one of {known}')
        self._numbers += 1
        active = ActiveFault(self._numbers, fault)
        self._faults.append(active)
        return active

    def draw(self, partner: str, path: str) -> ActiveFault | None:
        """The fault that this call meets, already counted."""
        for active in self._faults:
            if active.is_spent or active.fault.partner != partner or not is_under(path, partner, active.fault.path):
                continue
            if self._dice.random() < active.fault.probability:
                active.applied += 1
                return active
        return None

    def listing(self) -> list[dict[str, Any]]:
        return [active.as_json() for active in self._faults]

    def clear(self) -> None:
        self._faults.clear()
