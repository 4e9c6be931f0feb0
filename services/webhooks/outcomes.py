"""What came of applying one webhook event: the language between the engine and those who apply.

An applier runs inside the engine's transaction, with the resource locked. It writes its effect and returns one of
these; the engine records it in the same transaction. What it raises instead is an accident: the transaction is rolled
back and the event tried again later.
"""

import re
from dataclasses import dataclass

MAX_CODE = 64

_CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Applied:
    """The effect is written. Also when there was nothing left to change."""


@dataclass(frozen=True, slots=True)
class _Coded:
    """An outcome with a reason, from a closed list: it is stored, shown and counted, so no data may be in it."""

    reason: str

    def __post_init__(self) -> None:
        if not is_code(self.reason):
            # The value is not repeated: what is not a code may be a piece of the event.
            raise ValueError(f"outcome reason: lower_case_words of {MAX_CODE} characters at most expected")


@dataclass(frozen=True, slots=True)
class Ignored(_Coded):
    """Rightly without effect: older than what is applied, of a model that is not followed."""


@dataclass(frozen=True, slots=True)
class Unmatched(_Coded):
    """Nothing of ours that it is about, so far. Looked at again when that appears."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It cannot be applied as it is, and trying again changes nothing: for an operator, who may replay it."""

    code: str

    def __post_init__(self) -> None:
        if not is_code(self.code):
            raise ValueError(f"outcome code: lower_case_words of {MAX_CODE} characters at most expected")


Outcome = Applied | Ignored | Unmatched | Failed


def is_code(text: str) -> bool:
    return len(text) <= MAX_CODE and _CODE.fullmatch(text) is not None
