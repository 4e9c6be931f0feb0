"""Reading what clients send."""

from urllib.parse import parse_qsl


def read_form(body: bytes) -> dict[str, str]:
    """An application/x-www-form-urlencoded body; of a repeated name the last value counts."""
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
