"""`traverse sirene renew-password`: what it says of each end."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from rich.console import Console

from ops.sirene import renew_with_words
from tests.unit.clients.sirene import PASSWORD_CONFIG, refusal, register_with

NEW = "another-invented-password"


@pytest.mark.parametrize(
    ("token", "renewal", "words", "went_well"),
    [
        ({}, {"return_value": httpx.Response(200)}, "Renewed. Set SIRENE_PASSWORD", True),
        ({}, {"return_value": refusal(400)}, "INSEE refused: SIRENE_PASSWORD", False),
        ({}, {"return_value": refusal(500)}, "INSEE gave no answer", False),
        ({}, {"side_effect": httpx.ReadTimeout}, "INSEE gave no answer", False),
        ({}, {"side_effect": httpx.ConnectError}, "INSEE could not be asked", False),
        ({"side_effect": httpx.ConnectError}, {}, "INSEE could not be asked", False),
        ({"return_value": refusal(503)}, {}, "INSEE could not be asked", False),
    ],
    ids=["renewed", "refused", "500", "timeout", "no connection", "no token", "token 503"],
)
async def test_each_end_says_which_password_is_the_right_one(
    token: dict[str, Any], renewal: dict[str, Any], words: str, went_well: bool
):
    console = Console(record=True, width=200)
    async with register_with(PASSWORD_CONFIG) as register:
        if token:
            register.token.mock(**token)
        register.renewal.mock(**renewal)

        done = await renew_with_words(register.client, NEW, console)

    said = console.export_text()
    assert done is went_well
    assert said.startswith(words)
    assert NEW not in said
