"""What error messages repeat of a request. In production, only its names: values may be personal, and messages travel
into the consoles, logs and error trackers of front ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from graphql import GraphQLError

# graphql-core's messages end in the value that they are about, or in another error about it.
_VALUE = re.compile(r",? (?:but encountered error '|found: |Found: ).*", re.DOTALL)
# Messages of scalars, and of enums: a kind of value is named, then the value.
_SCALAR_VALUE = re.compile(r"(?<!has invalid) (value|represent an? \w+): .*", re.DOTALL)
_ENUM_VALUE = re.compile(r"\bValue '.*' (does not exist in '\w+' enum)", re.DOTALL)
# The name of a field has no digits in this schema, nor anything else that a person could be told by.
_KEY = re.compile(r"(unknown field) '(?![A-Za-z_]{1,60}').*'", re.DOTALL)
# Syntax errors name the kind of what they met, and then its text.
_TOKEN = re.compile(r"^(Syntax Error: .*?\b(?:Int|Float|String|BlockString)) .*", re.DOTALL)
_REPLACEMENTS = (
    (_VALUE, "."),
    (_SCALAR_VALUE, r" \1."),
    (_ENUM_VALUE, r"Value \1"),
    (_KEY, r"\1"),
    (_TOKEN, r"\1."),
)


def without_values(message: str) -> str:
    """Return the message of a request error without the values that the client sent."""
    for pattern, kept in _REPLACEMENTS:
        message = pattern.sub(kept, message)
    return message


def be_discreet(errors: Sequence[GraphQLError]) -> Sequence[GraphQLError]:
    """Take the values out of the messages of request errors; returns them."""
    for error in errors:
        error.message = without_values(error.message)
    return errors
