"""What can be set on the simulated Sirene."""

from typing import Annotated

from msgspec import Meta

from sandbox.partner import PartnerSettings

API_KEY = "11111111-2222-3333-4444-555555555555"
CLIENT_ID = "traverse-sandbox"
CLIENT_SECRET = "not-a-real-secret"  # noqa: S105 - it opens a simulator
USERNAME = "compte-traverse"
PASSWORD = "not-a-real-password"  # noqa: S105 - it opens a simulator


class SireneSettings(PartnerSettings):
    """`calls_per_minute`: of all look-ups together, minute by minute of the clock; null: no limit.

    `password_age_days`: how old the token says the password to be; null: the token says nothing.
    """

    calls_per_minute: Annotated[int, Meta(ge=1)] | None = 30
    api_key: str = API_KEY
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    username: str = USERNAME
    password: str = PASSWORD
    password_age_days: Annotated[int, Meta(ge=0, le=400)] | None = 10
    token_seconds: Annotated[int, Meta(ge=1)] = 300
