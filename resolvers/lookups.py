"""Look-ups of outside data as dataloaders: the keys of one operation are gathered into one question.

    answer = await look_up(info.raw, resources.communes.by_code, code)   # Answer(value, fetched_at, is_stale)

The loader lives as long as the operation; what outlives it is the cache behind services/lookups.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Protocol, TypeVar, cast

from clients.errors import PartnerError
from models.enums import Partner
from resolvers.context import ResolveInfo, context_of
from resolvers.errors import PartnerUnavailableError
from services.lookups import Answer, Outcome

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Source(Protocol[K, V]):
    """What answers one kind of question: a Lookup, or a TableLookup in front of one."""

    @property
    def name(self) -> str: ...

    async def many(self, keys: Iterable[K]) -> dict[K, Outcome[V]]: ...


async def look_up(info: ResolveInfo, lookup: Source[K, V], key: K) -> Answer[V]:
    """Return the answer for one key, asked for together with the others of the operation.

    Raises PartnerError for the field's own handling; `unavailable_error` makes a GraphQL error of it.
    """

    async def load(keys: list[K]) -> list[Any]:
        # The deadline is the look-up's own, inside: a cancelled waiter would take the others with it. A failed key is
        # an error in the list: raised, it would fail them all.
        outcomes = await lookup.many(keys)
        return [outcomes[key] for key in keys]

    loader = context_of(info).loader(("lookup", lookup.name), load)
    return cast("Answer[V]", await loader.load(key))


def unavailable_error(partner: Partner, error: PartnerError) -> PartnerUnavailableError:
    """The GraphQL error of a nullable field whose partner gave no answer."""
    seconds = None if error.retry_after is None else round(error.retry_after)
    return _error(partner, f"{partner.label} gives no answer; try again later", retryAfterSeconds=seconds)


def not_configured_error(partner: Partner) -> PartnerUnavailableError:
    """The GraphQL error of a field whose partner is off on this server."""
    return _error(partner, f"{partner.label} is not configured on this server", reason="NOT_CONFIGURED")


def _error(partner: Partner, message: str, **more: object) -> PartnerUnavailableError:
    error = PartnerUnavailableError(message)
    error.extensions = {"code": error.code, "partner": partner.name, **more}
    return error
