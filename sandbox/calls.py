"""The log of received calls: the last ones in full, and running totals over all of them."""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from sandbox.clock import Clock
from sandbox.forms import read_form

JSON = dict[str, Any]
_HEADERS_OF_INTEREST = (
    *("accept", "access-token", "authorization", "client", "content-type", "idempotency-key", "uid", "user-agent"),
    "x-request-id",
)
_SECRETS = frozenset({"client_secret", "password", "oldPassword", "newPassword"})
_WINDOW_SECONDS = 1.0


@dataclass(slots=True)
class CallRecord:
    """One received call. `status` is None while it is in progress, and stays so when the connection was cut.

    `subject` and `code` are the partner's words: the thing the call was about (an approval number) and its exit code.
    """

    number: int
    at: str
    partner: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw_body: bytes
    status: int | None = None
    code: str | None = None
    subject: str | None = None
    fault: int | None = None
    duration_ms: float | None = None

    def as_json(self) -> JSON:
        return {
            "number": self.number,
            "at": self.at,
            "partner": self.partner,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": dict(self.headers),
            "body": self._readable_body(),
            "status": self.status,
            "code": self.code,
            "subject": self.subject,
            "fault": self.fault,
            "duration_ms": self.duration_ms,
        }

    def _readable_body(self) -> Any:
        """JSON as JSON, a form as an object, anything else as text. Kept raw until somebody asks: 100,000 calls fit."""
        if not self.raw_body:
            return None
        if "urlencoded" in self.headers.get("content-type", ""):
            return _without_secrets(read_form(self.raw_body))
        try:
            return _without_secrets(orjson.loads(self.raw_body))
        except orjson.JSONDecodeError:
            return self.raw_body.decode(errors="replace")


def _without_secrets(body: object) -> Any:
    if not isinstance(body, dict):
        return body
    fields = cast("JSON", body)
    return fields | dict.fromkeys(_SECRETS & fields.keys(), "***")


@dataclass(slots=True)
class _PathTotals:
    calls: int = 0
    statuses: Counter[str] = field(default_factory=Counter[str])
    max_per_second: int = 0
    recent: deque[float] = field(default_factory=deque[float])

    def count_arrival(self, at: float) -> None:
        self.calls += 1
        self.recent.append(at)
        while self.recent[0] <= at - _WINDOW_SECONDS:
            self.recent.popleft()
        self.max_per_second = max(self.max_per_second, len(self.recent))


class CallLog:
    """Every call, oldest first. Only the last `capacity` are kept in full; the totals forget nothing."""

    def __init__(self, clock: Clock, *, capacity: int = 150_000) -> None:
        self._clock = clock
        self._records: deque[CallRecord] = deque(maxlen=capacity)
        self._started = 0
        self._totals: dict[tuple[str, str], _PathTotals] = {}
        self._codes: dict[tuple[str, str], dict[str, Counter[str]]] = {}

    def begin(
        self, *, partner: str, method: str, path: str, query: str, headers: Mapping[str, str], raw_body: bytes
    ) -> CallRecord:
        """Note a call as it arrives, so that one that never ends is seen as well."""
        self._started += 1
        record = CallRecord(
            number=self._started,
            at=self._clock.now().isoformat(),
            partner=partner,
            method=method,
            path=path,
            query=query,
            headers={name: headers[name] for name in _HEADERS_OF_INTEREST if name in headers},
            raw_body=raw_body,
        )
        self._records.append(record)
        self._totals.setdefault((partner, path), _PathTotals()).count_arrival(self._clock.monotonic())
        return record

    def finish(self, record: CallRecord) -> None:
        """Add how the call ended to the totals."""
        where = (record.partner, record.path)
        if where in self._totals:  # else: forgotten while it was in progress
            self._totals[where].statuses["cut" if record.status is None else str(record.status)] += 1
            if record.subject is not None and record.code is not None:
                self._codes.setdefault(where, {}).setdefault(record.subject, Counter())[record.code] += 1

    def listing(self, *, partner: str | None = None, path: str | None = None, limit: int | None = None) -> list[JSON]:
        """The calls, oldest first; with `limit`, the last ones of them."""
        found: list[CallRecord] = []
        for record in reversed(self._records):
            if limit is not None and len(found) >= limit:
                break
            if partner in {None, record.partner} and is_under(record.path, record.partner, path):
                found.append(record)
        return [record.as_json() for record in reversed(found)]

    def summary(self, *, partner: str | None = None, path: str | None = None) -> JSON:
        """Totals by path, and for each subject how often each code was answered (all paths of the filter together)."""
        wanted = list(self._wanted(partner, path))
        by_subject: dict[str, Counter[str]] = {}
        for where in wanted:
            for subject, codes in self._codes.get(where, {}).items():
                by_subject.setdefault(subject, Counter()).update(codes)
        return {
            "total": sum(self._totals[where].calls for where in wanted),
            "paths": {
                where[1]: {
                    "calls": self._totals[where].calls,
                    "statuses": self._totals[where].statuses,
                    "max_per_second": self._totals[where].max_per_second,
                }
                for where in wanted
            },
            "codes_by_subject": by_subject,
        }

    def forget(self) -> None:
        self._records.clear()
        self._totals.clear()
        self._codes.clear()

    def _wanted(self, partner: str | None, path: str | None) -> Iterator[tuple[str, str]]:
        for where in sorted(self._totals):
            if partner in {None, where[0]} and is_under(where[1], where[0], path):
                yield where


def is_under(path: str, partner: str, prefix: str | None) -> bool:
    """Whether the path begins with the prefix, which may be given with or without the partner's mount."""
    return prefix is None or path.startswith(prefix) or path.startswith(f"/{partner}{prefix}")
