"""The doors by which a demo or a test books, moves, cancels and closes appointments; each change is told by webhook."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.control import OrjsonResponse, explained
from sandbox.rdv.agenda import Agenda, Appointment, Invitation
from sandbox.rdv.blueprints import appointment_json, invitation_event_json, user_json
from sandbox.rdv.events import EventOrder, RDVSendOptions, outgoing
from sandbox.rdv.organisations import find_organisation
from sandbox.rdv.settings import RDVInsertionSettings
from sandbox.shapes import AwareDatetime, Shape, read
from sandbox.webhooks import Delivery, OutgoingWebhook, WebhookSender, read_sending

_PARIS = ZoneInfo("Europe/Paris")
_JSON = dict[str, Any]
_Status = Literal["unknown", "seen", "noshow", "excused", "revoked"]
_CANCELLED = frozenset({"excused", "revoked"})


class _Order(Shape):
    webhook: RDVSendOptions = RDVSendOptions()


class _Booking(_Order, kw_only=True):
    """`starts_at` keeps its own offset, as the appointment of an overseas department does."""

    organisation_id: int
    user_ids: Annotated[list[int], Meta(max_length=500)]
    starts_at: AwareDatetime | None = None
    duration_in_min: Annotated[int, Meta(ge=1)] = 30
    category: str | None = "siae_interview"
    motif: str = "Entretien d'embauche"
    is_collective: bool = False
    has_place: bool = True
    max_participants: int | None = None
    created_by: Literal["agent", "user", "file_attente", "prescripteur"] = "user"


class _Change(_Order):
    """`status` is that of the appointment and of everyone in it; `participations` are by user number."""

    starts_at: AwareDatetime | None = None
    status: _Status | None = None
    participations: Mapping[int, _Status] = {}
    add_user_ids: Sequence[int] = ()
    remove_user_ids: Sequence[int] = ()


class _InvitationNews(_Order):
    clicked: bool | None = None
    delivery_status: str | None = None


class _Sending(RDVSendOptions, kw_only=True):
    events: Annotated[list[EventOrder], Meta(min_length=1)]


class AppointmentDesk:
    """Changes the agenda and tells of it."""

    def __init__(
        self, agenda: Agenda, sender: WebhookSender, clock: Clock, settings: Callable[[], RDVInsertionSettings]
    ) -> None:
        self._agenda = agenda
        self._sender = sender
        self._clock = clock
        self._settings = settings

    def doors(self) -> Sequence[BaseRoute]:
        one = "/_rdv-insertion/appointments/{number:int}"
        return (
            Route("/_rdv-insertion", self._list, methods=["GET"]),
            Route("/_rdv-insertion/appointments", explained(self._book), methods=["POST"]),
            Route(one, explained(self._change), methods=["PATCH"]),
            Route(one, explained(self._destroy), methods=["DELETE"]),
            Route("/_rdv-insertion/invitations/{number:int}", explained(self._invitation_news), methods=["PATCH"]),
            Route("/_webhooks/rdv-insertion", explained(self._send), methods=["POST"]),
            Route("/_webhooks/rdv-insertion", self._list_deliveries, methods=["GET"]),
        )

    async def tell_of_new_invitations(self, invitations: Sequence[Invitation], *, bounces: bool) -> None:
        """That they exist, and then what became of them, as their mail and SMS senders would report."""
        for invitation in invitations:
            await self._tell("Invitation", "created", invitation_event_json(invitation), RDVSendOptions())
        for invitation in invitations:
            self._set_delivery(invitation, "hard_bounce" if bounces else "delivered")
            await self._tell("Invitation", "updated", invitation_event_json(invitation), RDVSendOptions())

    async def _list(self, _: Request) -> Response:
        agenda = self._agenda
        return OrjsonResponse(
            {
                "users": [user_json(user) for user in agenda.users.values()],
                "invitations": [invitation_event_json(each) for each in agenda.invitations.values()],
                "appointments": [appointment_json(each) for each in agenda.appointments.values()],
            }
        )

    async def _book(self, request: Request) -> Response:
        wish = read(_Booking, await request.body())
        organisation = find_organisation(wish.organisation_id)
        if organisation is None:
            raise ValueError(
                f"organisation {wish.organisation_id}: not known here; 651 to 659 or 2000 to 2999 expected"
            )
        appointment = Appointment(
            id=0,
            organisation=organisation,
            starts_at=wish.starts_at or self._next_morning(),
            duration_in_min=wish.duration_in_min,
            category=wish.category,
            motif=wish.motif,
            is_collective=wish.is_collective,
            has_place=wish.has_place,
            created_by=wish.created_by,
            max_participants=wish.max_participants,
        )
        users = [self._agenda.user_or_stranger(number, organisation) for number in wish.user_ids]
        self._agenda.book(appointment, users)
        return await self._told(appointment, "created", wish.webhook, status=201)

    async def _change(self, request: Request) -> Response:
        appointment = self._appointment(request)
        if appointment is None:
            return _not_found()
        change = read(_Change, await request.body())
        if change.starts_at is not None:
            appointment.starts_at = change.starts_at
        for number in change.add_user_ids:
            self._agenda.add_participant(appointment, self._agenda.user_or_stranger(number, appointment.organisation))
        appointment.participations = [
            each for each in appointment.participations if each.user.id not in change.remove_user_ids
        ]
        self._set_statuses(appointment, change)
        return await self._told(appointment, "updated", change.webhook)

    async def _destroy(self, request: Request) -> Response:
        appointment = self._appointment(request)
        if appointment is None:
            return _not_found()
        order = read(_Order, await request.body() or b"{}")
        del self._agenda.appointments[appointment.id]
        return await self._told(appointment, "destroyed", order.webhook)

    async def _invitation_news(self, request: Request) -> Response:
        invitation = self._agenda.invitations.get(request.path_params["number"])
        if invitation is None:
            return _not_found()
        news = read(_InvitationNews, await request.body())
        if news.clicked is not None:
            invitation.clicked = news.clicked
        if news.delivery_status is not None:
            self._set_delivery(invitation, news.delivery_status)
        shown = invitation_event_json(invitation)
        deliveries = await self._tell("Invitation", "updated", shown, news.webhook)
        return OrjsonResponse({"invitation": shown, "deliveries": [each.as_json() for each in deliveries]})

    async def _send(self, request: Request) -> Response:
        sending = read_sending(_Sending, await request.body(), several="events")
        webhooks = [self._webhook(order, sending) for order in sending.events]
        deliveries = await self._sender.send(webhooks, options=sending, default_target=self._settings().webhook_url)
        return OrjsonResponse({"deliveries": [delivery.as_json() for delivery in deliveries]})

    async def _list_deliveries(self, _: Request) -> Response:
        return OrjsonResponse([delivery.as_json() for delivery in self._sender.deliveries])

    async def _told(
        self, appointment: Appointment, event: str, options: RDVSendOptions, *, status: int = 200
    ) -> Response:
        shown = appointment_json(appointment)
        deliveries = await self._tell("Rdv", event, shown, options)
        return OrjsonResponse(
            {"appointment": shown, "deliveries": [each.as_json() for each in deliveries]}, status_code=status
        )

    async def _tell(self, model: str, event: str, data: _JSON, options: RDVSendOptions) -> list[Delivery]:
        """Nothing is sent while no address is known."""
        target = self._settings().webhook_url
        if target is None and options.target is None:
            return []
        webhook = self._signed(model, event, data, self._agenda.told_at(model, data["id"]), options)
        return await self._sender.send([webhook], options=options, default_target=target)

    def _webhook(self, order: EventOrder, options: RDVSendOptions) -> OutgoingWebhook:
        data = order.data if order.data is not None else self._resource(order)
        at = order.timestamp or self._agenda.told_at(order.model, int(data.get("id") or 0))
        return self._signed(order.model, order.event, data, at, options)

    def _signed(self, model: str, event: str, data: _JSON, at: datetime, options: RDVSendOptions) -> OutgoingWebhook:
        secret, now = self._settings().webhook_secret, self._clock.now()
        return outgoing(model, event, data, at=at, options=options, secret=secret, now=now)

    def _resource(self, order: EventOrder) -> _JSON:
        appointment = self._agenda.appointments.get(order.id or 0)
        if order.model == "Rdv" and appointment is not None:
            return appointment_json(appointment)
        invitation = self._agenda.invitations.get(order.id or 0)
        if order.model == "Invitation" and invitation is not None:
            return invitation_event_json(invitation)
        raise ValueError(f"{order.model} {order.id}: not known here; give data, or an id of GET /_rdv-insertion")

    def _appointment(self, request: Request) -> Appointment | None:
        return self._agenda.appointments.get(request.path_params["number"])

    def _set_statuses(self, appointment: Appointment, change: _Change) -> None:
        if change.status is not None:
            appointment.status = change.status
            appointment.cancelled_at = self._clock.now() if change.status in _CANCELLED else None
        for participation in appointment.participations:
            own = change.participations.get(participation.user.id)
            participation.status = own or change.status or participation.status

    def _set_delivery(self, invitation: Invitation, status: str) -> None:
        """Once delivered it stays so; a bounce can still turn into a delivery."""
        if invitation.delivery_status != "delivered":
            invitation.delivery_status = status
            invitation.delivered_at = self._clock.now() if status == "delivered" else None

    def _next_morning(self) -> datetime:
        tomorrow = self._clock.now().astimezone(_PARIS) + timedelta(days=1)
        return tomorrow.replace(hour=10, minute=0, second=0, microsecond=0)


def _not_found() -> Response:
    return OrjsonResponse({"error": "not known here; see GET /_rdv-insertion"}, status_code=404)
