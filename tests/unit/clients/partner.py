"""What the tests of the partner kit share: an invented partner with one kind of thing."""

from datetime import UTC, datetime

import pytest

from clients.answers import json_answer
from clients.breaker import BreakerPolicy
from clients.errors import PartnerError
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.shapes import Shape, Wire

BASE = "https://partner.example"
NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
SECRET = "1850599999042"  # stands for any personal datum
REQUEST = PartnerRequest(method="POST", url="/things", json={"nir": SECRET})
POLICY = CallPolicy(deadline_seconds=5, queue_seconds=0.05, breaker=BreakerPolicy(failures=3, open_seconds=30))


class Thing(Wire):
    name: str


READ = json_answer(Shape(Thing))


async def error_of(partner: PartnerHTTP, operation: str = "get_thing") -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await partner.call(operation, REQUEST, READ)
    return caught.value
