"""Which classes of values are usual: a plan takes these on its fast path, everything else goes to graphql-core."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import AsyncGeneratorType, CoroutineType, GeneratorType, NoneType
from typing import Any

from graphql.pyutils import UndefinedType

# Classes are few in a running server. One that makes classes without end must not be kept alive by this set.
_MAX_CLASSES = 5_000
_NEVER = (CoroutineType, GeneratorType, AsyncGeneratorType, BaseException, NoneType, UndefinedType)
# Classes whose attributes are found in the ordinary way, with what inherits that from them.
_ORDINARY = frozenset(
    {
        object,
        str,
        bytes,
        int,
        float,
        complex,
        list,
        tuple,
        dict,
        set,
        frozenset,
        date,
        datetime,
        time,
        timedelta,
        Decimal,
    }
)
_ANSWERS_FOR_MORE = ("__await__", "__getattr__")

# Read by the generated code, so it is emptied rather than replaced.
PLAIN: set[type[Any]] = set()


def admit(value_class: type[Any]) -> bool:
    """Tell whether values of a class are nothing but values, and remember it in PLAIN.

    graphql-core asks each value whether it is an error, undefined or awaitable. All of it follows from the class,
    unless the class answers for attributes that it does not have.
    """
    if not is_plain(value_class):
        return False
    if len(PLAIN) >= _MAX_CLASSES:
        PLAIN.clear()
    PLAIN.add(value_class)
    return True


def is_plain(value_class: type[Any]) -> bool:
    # Looked up among the bases alone: a metaclass may have attributes of these names (enums' had).
    return (
        not issubclass(value_class, _NEVER)
        and not any(name in base.__dict__ for base in value_class.__mro__ for name in _ANSWERS_FOR_MORE)
        and getattr(value_class.__getattribute__, "__objclass__", None) in _ORDINARY
    )
