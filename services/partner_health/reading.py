"""How each partner fares, over all processes: its breaker, its last answers, how slow and how often in vain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from clients.breaker import BreakerState
from clients.mail import PARTNER as MAIL_RELAY
from clients.observer import CallOutcome
from models.database import fetch_all
from models.enums import Partner
from services.partner_health.recording import BOUNDS_MS, FAILURES, SUCCESSES, worst
from services.webhooks.deliveries import FORM_RESPONSE

WINDOW = timedelta(minutes=15)
# A process says every few seconds that a breaker is not closed: one that falls silent has no say any more.
_BREAKER_COUNTS_FOR = timedelta(seconds=30)
_QUANTILE = 0.95
# Diagoriente is invited to by mail: what is called is the relay.
_CALLED_AS = {Partner.DIAGORIENTE: MAIL_RELAY}

_CALLS = """
SELECT process_id, partner, outcomes, durations, breakers, written_at FROM partner_calls
WHERE minute_at > $1 ORDER BY minute_at
"""
# One look at the head of an index for each partner and column.
_LAST = """
SELECT name AS partner,
    (SELECT max(last_success_at) FROM partner_calls WHERE partner = name) AS last_success_at,
    (SELECT max(last_failure_at) FROM partner_calls WHERE partner = name) AS last_failure_at
FROM unnest($1::text[]) AS name
"""
_LAST_ANSWERED_FORM = """
SELECT received_at FROM webhook_event WHERE source = 'tally' AND model = $1 ORDER BY received_at DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerHealth:
    """One partner. None where nothing tells: no call yet, or none that says anything about the partner.

    `calls` and what is computed from it (`p95_ms`, `error_rate`, from 0 to 1) are of the window; `open_operations`
    are those whose breaker keeps calls back now.
    """

    partner: Partner
    breaker: BreakerState
    open_operations: tuple[str, ...]
    last_success_at: datetime | None
    last_failure_at: datetime | None
    p95_ms: float | None
    error_rate: float | None
    calls: Mapping[CallOutcome, int]


async def read_partner_health(*, now: datetime, window: timedelta = WINDOW) -> list[PartnerHealth]:
    """Return all partners, in the order of the enum. Three statements, whatever their number.

    Tally is never called: its last success is the last form that it sent us.
    """
    seen: dict[str, list[Any]] = {}
    for row in await fetch_all(_CALLS, now - window):
        seen.setdefault(row["partner"], []).append(row)
    names = [_name_of(partner) for partner in Partner]
    last = {row["partner"]: row for row in await fetch_all(_LAST, names)}
    forms = await fetch_all(_LAST_ANSWERED_FORM, FORM_RESPONSE)
    heard = {Partner.TALLY: forms[0]["received_at"]} if forms else {}
    return [
        _health(partner, seen.get(_name_of(partner), []), last[_name_of(partner)], heard.get(partner), now)
        for partner in Partner
    ]


def percentile(durations: Sequence[int], quantile: float) -> float | None:
    """Estimate a percentile from numbers of calls by BOUNDS_MS; within a class, calls count as evenly spread.

    None without any call. Beyond the last bound no more is known than that bound.
    """
    rank = quantile * sum(durations)
    if rank == 0:
        return None
    below = 0
    for lower, upper, number in zip((0, *BOUNDS_MS), BOUNDS_MS, durations, strict=False):
        if below + number >= rank:
            return lower + (upper - lower) * (rank - below) / number
        below += number
    return float(BOUNDS_MS[-1])


def _health(
    partner: Partner, rows: Sequence[Any], last: Any, heard_at: datetime | None, now: datetime
) -> PartnerHealth:
    calls: Counter[CallOutcome] = Counter()
    durations = [0] * (len(BOUNDS_MS) + 1)
    for row in rows:
        calls.update({CallOutcome(outcome): number for outcome, number in orjson.loads(row["outcomes"]).items()})
        durations = [total + number for total, number in zip(durations, row["durations"], strict=True)]
    states = _breakers(rows, now)
    return PartnerHealth(
        partner=partner,
        breaker=worst(states.values()),
        open_operations=tuple(sorted(name for name, state in states.items() if state is not BreakerState.CLOSED)),
        last_success_at=heard_at or last["last_success_at"],
        last_failure_at=last["last_failure_at"],
        p95_ms=percentile(durations, _QUANTILE),
        error_rate=_error_rate(calls),
        calls=calls,
    )


def _breakers(rows: Sequence[Any], now: datetime) -> dict[str, BreakerState]:
    """Return the worst state of each operation, by the last word of each process."""
    states: dict[str, BreakerState] = {}
    for row in {row["process_id"]: row for row in rows}.values():  # the last one of each stays
        if now - row["written_at"] < _BREAKER_COUNTS_FOR:
            for operation, state in orjson.loads(row["breakers"]).items():
                states[operation] = worst([BreakerState(state), states.get(operation, BreakerState.CLOSED)])
    return states


def _error_rate(calls: Mapping[CallOutcome, int]) -> float | None:
    failures = _total(calls, FAILURES)
    telling = failures + _total(calls, SUCCESSES)
    return failures / telling if telling else None


def _total(calls: Mapping[CallOutcome, int], outcomes: Iterable[CallOutcome]) -> int:
    return sum(calls.get(outcome, 0) for outcome in outcomes)


def _name_of(partner: Partner) -> str:
    return _CALLED_AS.get(partner, partner.value)
