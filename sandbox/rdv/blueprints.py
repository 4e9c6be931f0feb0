"""The shapes in which RDV-Insertion shows what it knows, in answers and in webhooks alike."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.rdv.agenda import CATEGORIES, Appointment, Invitation, Participation, User

_PARIS = ZoneInfo("Europe/Paris")
_ADDRESS = "6 rue Fictive, 75010 Paris"


def moment(value: datetime | None) -> str | None:
    """Milliseconds and an offset. An instant in UTC is shown in Paris time, another offset is kept as it is."""
    if value is None:
        return None
    shown = value.astimezone(_PARIS) if not value.utcoffset() else value
    return shown.isoformat(timespec="milliseconds")


def category_json(short_name: str | None) -> dict[str, Any] | None:
    if short_name is None:
        return None
    number, name = CATEGORIES.get(short_name, (99, short_name.replace("_", " ").capitalize()))
    return {"id": number, "short_name": short_name, "name": name}


def user_json(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "affiliation_number": None,
        "role": user.role,
        "created_at": moment(user.created_at),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "title": user.title,
        "address": user.address,
        "phone_number": user.phone_number,
        "email": user.email,
        "birth_date": user.birth_date,
        "rights_opening_date": None,
        "birth_name": None,
        "rdv_solidarites_user_id": user.id + 2_095,
        "france_travail_id": None,
    }


def user_with_links_json(user: User) -> dict[str, Any]:
    return user_json(user) | {"referents": [], "tags": []}


def invitation_json(invitation: Invitation) -> dict[str, Any]:
    """Without the person: as the answer to an invitation lists it."""
    return {
        "id": invitation.id,
        "format": invitation.format,
        "clicked": invitation.clicked,
        "rdv_with_referents": False,
        "created_at": moment(invitation.created_at),
        "delivery_status": invitation.delivery_status,
        "delivered_at": moment(invitation.delivered_at),
        "expires_at": moment(invitation.expires_at),
        "motif_category": category_json(invitation.category),
    }


def invitation_event_json(invitation: Invitation) -> dict[str, Any]:
    return invitation_json(invitation) | {"user": user_json(invitation.user)}


def appointment_json(appointment: Appointment) -> dict[str, Any]:
    place = {"rdv_solidarites_lieu_id": 1_026, "name": "Accueil", "address": _ADDRESS, "phone_number": ""}
    return {
        "id": appointment.id,
        "duration_in_min": appointment.duration_in_min,
        "cancelled_at": moment(appointment.cancelled_at),
        "address": _ADDRESS if appointment.has_place else "",
        "uuid": f"37141381-0000-4000-8000-{appointment.id:012d}",
        "created_by": appointment.created_by,
        "status": appointment.status,
        "users_count": len(appointment.participations),
        "max_participants_count": appointment.max_participants,
        "rdv_solidarites_rdv_id": appointment.id + 7_464,
        "starts_at": moment(appointment.starts_at),
        "agents": [
            {
                "id": 370,
                "email": "agent@exemple.test",
                "first_name": "Ange",
                "last_name": "INVENTÉ",
                "rdv_solidarites_agent_id": 1_791,
            }
        ],
        "lieu": place if appointment.has_place else None,
        "motif": {
            "rdv_solidarites_motif_id": 1_443,
            "name": appointment.motif,
            "collectif": appointment.is_collective,
            "location_type": "public_office" if appointment.has_place else "phone",
            "follow_up": False,
            "motif_category": category_json(appointment.category),
        },
        "users": [user_json(participation.user) for participation in appointment.participations],
        "organisation": appointment.organisation.as_json()
        | {"motif_categories": [category_json(short_name) for short_name in CATEGORIES]},
        "participations": [_participation_json(each, appointment) for each in appointment.participations],
    }


def _participation_json(participation: Participation, appointment: Appointment) -> dict[str, Any]:
    return {
        "id": participation.id,
        "status": participation.status,
        "created_at": moment(participation.created_at),
        "starts_at": moment(appointment.starts_at),
        "created_by": appointment.created_by if appointment.created_by != "file_attente" else "agent",
        "user": user_json(participation.user),
    }
