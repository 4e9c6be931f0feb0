"""France Travail's codes: exit codes to outcomes, and our kinds to theirs."""

from enum import StrEnum
from types import MappingProxyType


class Endpoint(StrEnum):
    """Which call an exit code came from. The same code means different things: keep the two together."""

    SEARCH = "rech_individu"
    UPDATE = "maj_pass"


class SearchOutcome(StrEnum):
    FOUND = "found"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    INVALID_REQUEST = "invalid_request"
    UNKNOWN = "unknown"


EMPTY_NIR = "empty_nir"  # ours: found, but without an identifier
MISSING_CODE = "missing_code"  # ours: no exit code in the answer
INVALID_SIAE_KIND = "INVALID_SIAE_KIND"  # ours: no typeSIAE for that kind of structure
UPDATE_SUCCESS = "S000"

# Two dialects are in use: PE0xx and S0xx.
_SEARCH_OUTCOMES = MappingProxyType(
    {
        "PE001": SearchOutcome.FOUND,
        "S001": SearchOutcome.FOUND,
        "PE004": SearchOutcome.NOT_FOUND,
        "S000": SearchOutcome.NOT_FOUND,
        "PE008": SearchOutcome.AMBIGUOUS,
        "S002": SearchOutcome.AMBIGUOUS,
    }
)

_TYPE_SIAE = MappingProxyType(
    {
        "ACI": 836,
        "AI": 837,
        "EI": 838,
        "ETTI": 839,
        "EITI": 840,
        # Adapted enterprises and GEIQs are no SIAE, but old approvals bear their kind.
        "EA": 838,
        "GEIQ": 838,
        "EATT": 840,
    }
)

_ORIGINS = MappingProxyType({"job_seeker": "DEMA", "prescriber": "PRES", "employer": "EMPL"})

_OTHER_PRESCRIBER = "Autre"
# Knowing that one of these sent a person would reveal childhood in care, addiction, violence, prison: sent as "Autre".
SENSITIVE_PRESCRIBER_KINDS = frozenset({"ASE", "CAARUD", "CIDFF", "CSAPA", "PENSION", "PJJ", "PREVENTION", "SPIP"})
_PRESCRIBER_KINDS_SENT_AS_THEY_ARE = frozenset(
    {
        *("AFPA", "Orienteur", "CADA", "CAF", "CAP_EMPLOI", "CAVA", "CCAS", "CHRS", "CHU", "CPH", "E2C", "EPIDE"),
        *("HUDA", "ML", "MSA", "OACAS", "OIL", "ODC", "OHPD", "OCASF", "PIJ_BIJ", "PLIE", "RS_FJT", "DEPT"),
    }
)


def search_outcome(code: str | None) -> SearchOutcome:
    """What an exit code of the identity search says; both dialects, and unlisted codes too."""
    if code is None:
        return SearchOutcome.UNKNOWN
    if code in _SEARCH_OUTCOMES:
        return _SEARCH_OUTCOMES[code]
    is_input_error = len(code) == len("R010") and code.startswith("R0") and code[2:].isdigit()
    return SearchOutcome.INVALID_REQUEST if is_input_error else SearchOutcome.UNKNOWN


def type_siae(kind: str) -> int | None:
    """France Travail's number for a kind of structure. None: it has none, and the approval cannot be announced."""
    return _TYPE_SIAE.get(kind)


def application_origin(sender_kind: str) -> str:
    """Unknown senders count as the job seeker."""
    return _ORIGINS.get(sender_kind, "DEMA")


def prescriber_type(prescriber_kind: str) -> str | None:
    """None: there is no prescribing organisation and the key must be absent from the request."""
    if not prescriber_kind:
        return None
    if prescriber_kind == "FT":
        return "PE"
    return prescriber_kind if prescriber_kind in _PRESCRIBER_KINDS_SENT_AS_THEY_ARE else _OTHER_PRESCRIBER
