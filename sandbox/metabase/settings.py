"""What can be set on the simulated Metabase."""

from typing import Annotated

from msgspec import Meta

from sandbox.partner import PartnerSettings

SECRET_KEY = "5a9db0c05a9db0c05a9db0c05a9db0c05a9db0c05a9db0c05a9db0c05a9db0c0"  # noqa: S105 - it signs invented figures


class MetabaseSettings(PartnerSettings):
    """`failing_cards`: ids of cards whose query fails. `hidden_dashboards`: ids whose embedding is switched off.

    `detail_rows`: how many rows a detail card has at least, repeating itself; for large exports.
    """

    secret_key: str = SECRET_KEY
    embedding_enabled: bool = True
    hidden_dashboards: frozenset[int] = frozenset()
    failing_cards: frozenset[int] = frozenset()
    detail_rows: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
