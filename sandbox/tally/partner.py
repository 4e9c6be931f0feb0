"""The simulated Tally: a page for each known form, whose submission sends the webhook."""

from collections.abc import Sequence
from functools import partial
from html import escape
from types import MappingProxyType
from typing import Annotated, Any

import httpx
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.control import OrjsonResponse, explained
from sandbox.partner import SimulatedPartner, note_outcome
from sandbox.tally.submissions import SubmissionOrder, TallySendOptions, outgoing
from sandbox.webhooks import WebhookSender, WebhookSettings, read_sending

WEBHOOK_SECRET = "sandbox-tally-signing-secret"  # noqa: S105 - it signs what a simulator says

_COMPANY_FIELDS = ("id_siae", "type_siae", "region", "departement", "ref")
# The forms with the hidden fields that each declares; the third one is the sandbox's own.
FORMS = MappingProxyType(
    {
        "mY59xq": _COMPANY_FIELDS,
        "w2EoDp": ("idorganisation", "region", "departement", "ref"),
        "sBx1jS": _COMPANY_FIELDS,
    }
)

_PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>Enquête fictive</title></head>
<body><h1>Enquête fictive {form_id}</h1>
<dl>{hidden}</dl>
<form method="post"><label>Votre avis <textarea name="avis"></textarea></label> <button>Envoyer</button></form>
</body></html>"""


class TallySettings(WebhookSettings):
    webhook_secret: str = WEBHOOK_SECRET


class _Sending(TallySendOptions, kw_only=True):
    submissions: Annotated[list[SubmissionOrder], Meta(min_length=1)]


class SimulatedTally(SimulatedPartner[TallySettings]):
    name = "tally"

    def __init__(
        self, settings: TallySettings, clock: Clock, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(settings, clock)
        # The partner's own patience: ten seconds, or it counts as a failure.
        self.sender = WebhookSender(self.name, clock, timeout=httpx.Timeout(10.0), transport=transport)

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/r/{form_id}", self._show, methods=["GET"]),
            Route("/r/{form_id}", self._submit, methods=["POST"]),
        )

    def doors(self) -> Sequence[BaseRoute]:
        return (
            Route("/_webhooks/tally", explained(self._send), methods=["POST"]),
            Route("/_webhooks/tally", self._list_deliveries, methods=["GET"]),
        )

    async def stop(self) -> None:
        await self.sender.stop()

    async def _show(self, request: Request) -> Response:
        form_id = request.path_params["form_id"]
        if form_id not in FORMS:
            return HTMLResponse("<h1>Formulaire introuvable</h1>", status_code=404)
        shown = "".join(
            f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in _hidden(request, form_id).items()
        )
        return HTMLResponse(_PAGE.format(form_id=form_id, hidden=shown))

    async def _submit(self, request: Request) -> Response:
        form_id = request.path_params["form_id"]
        if form_id not in FORMS:
            return HTMLResponse("<h1>Formulaire introuvable</h1>", status_code=404)
        note_outcome(request.scope, code="submitted", subject=form_id)
        order = SubmissionOrder(form_id=form_id, hidden=dict(_hidden(request, form_id)))
        if self.settings.webhook_url is not None:
            self.sender.send_soon(partial(self._deliver, [order], TallySendOptions()))
        return HTMLResponse("<h1>Merci de votre réponse</h1>")

    async def _send(self, request: Request) -> Response:
        sending = read_sending(_Sending, await request.body(), several="submissions")
        deliveries = await self._deliver(sending.submissions, sending)
        return OrjsonResponse({"deliveries": deliveries})

    async def _list_deliveries(self, _: Request) -> Response:
        return OrjsonResponse([delivery.as_json() for delivery in self.sender.deliveries])

    async def _deliver(self, orders: Sequence[SubmissionOrder], options: TallySendOptions) -> list[dict[str, Any]]:
        webhooks = [
            outgoing(order, signing=options.sign, secret=self.settings.webhook_secret, now=self.clock.now())
            for order in orders
        ]
        deliveries = await self.sender.send(webhooks, options=options, default_target=self.settings.webhook_url)
        return [delivery.as_json() for delivery in deliveries]


def _hidden(request: Request, form_id: str) -> dict[str, str]:
    """Of the query, what the form declares: anything else is dropped in silence, as names of another spelling are."""
    return {key: request.query_params[key] for key in FORMS[form_id] if key in request.query_params}
