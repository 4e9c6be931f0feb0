"""The Retry-After header (RFC 9110, section 10.2.3): a number of seconds or an HTTP date."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Nine digits are thirty years: more can only be nonsense, and float() must stay finite. Some gateways send decimals.
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)


def parse_retry_after(value: str | None, *, now: datetime, cap_seconds: float) -> float | None:
    """Seconds to wait, between 0 and the cap. None when the header is absent or says neither seconds nor a date."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), cap_seconds)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # "-0000" and obsolete forms: HTTP dates are always UTC
    return min(max((moment - now).total_seconds(), 0.0), cap_seconds)
