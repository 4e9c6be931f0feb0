"""What can be set on the simulated API Particulier."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from sandbox.partner import PartnerSettings

TOKEN = "not-a-real-habilitation"  # noqa: S105 - it opens a simulator


class TokenState(StrEnum):
    VALID = "valid"
    EXPIRED = "expired"
    BLACKLISTED = "blacklisted"
    WITHOUT_RIGHT = "without_right"


class ApiParticulierSettings(PartnerSettings):
    """`token_state`: what has become of the one token. `shows_data`: false hides every key, as narrow scopes do."""

    rate_per_second: Annotated[int, Meta(ge=1)] | None = 20
    token: str = TOKEN
    token_state: TokenState = TokenState.VALID
    shows_data: bool = True
