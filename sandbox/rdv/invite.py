"""The rules of `create_and_invite`: who can be invited, and what each refusal looks like."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.rdv.agenda import CATEGORIES, Agenda, Invitation, User
from sandbox.rdv.blueprints import invitation_json, user_with_links_json
from sandbox.rdv.organisations import Organisation
from sandbox.rdv.people import Fate, fate_of

USER_KEYS = frozenset(
    {
        *("first_name", "last_name", "title", "affiliation_number", "role", "email", "phone_number", "nir"),
        *("france_travail_id", "birth_date", "birth_name", "rights_opening_date", "address"),
        *("department_internal_id", "invitation", "referents_to_add", "tags_to_add"),
    }
)
_INVITATION_KEYS = frozenset({"rdv_solidarites_lieu_id", "motif_category"})
_TITLES = frozenset({"monsieur", "madame"})
_ROLES = frozenset({"demandeur", "conjoint"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NIR = re.compile(r"(?:\d{13}|\d{15})", re.ASCII)
_PHONE = re.compile(r"(?:\+33|0)([1-9]\d{8})", re.ASCII)
_DAY = re.compile(r"\d{2}/\d{2}/\d{4}", re.ASCII)
_OLDEST_YEARS = 130


@dataclass(frozen=True, slots=True)
class Order:
    """A sound request."""

    fields: dict[str, Any]
    email: str | None
    phone: str | None
    category: str

    @property
    def has_mobile(self) -> bool:
        return self.phone is not None and self.phone.startswith(("+336", "+337"))

    @property
    def formats(self) -> list[str]:
        return ["sms"] * self.has_mobile + ["email"] * bool(self.email)


def read_order(body: object, *, today: date) -> Order | Response:
    """The order, or the answer that refuses it. Unknown keys are a 400 here: Rails would drop them in silence."""
    user: object = cast("dict[str, object]", body).get("user") if isinstance(body, dict) else None
    if not isinstance(user, dict):
        return JSONResponse({"status": 400, "error": "Bad Request"}, status_code=400)
    fields = cast("dict[str, Any]", user)
    if not fields.keys() <= USER_KEYS or not _has_known_invitation(fields.get("invitation")):
        return JSONResponse({"status": 400, "error": "Bad Request"}, status_code=400)
    if errors := _person_errors(fields, today=today):
        entry = {"first_name": fields.get("first_name") or "", "last_name": fields.get("last_name") or ""}
        return JSONResponse(
            {"success": False, "errors": [{"error_details": ", ".join(errors), **entry}]}, status_code=422
        )
    category = _category_of(fields.get("invitation"))
    if category is None:
        # The follow-up that only a category creates is then used without being there.
        return HTMLResponse("<h1>500 Internal Server Error</h1>", status_code=500)
    if category not in CATEGORIES:
        return refused("Catégorie de motif introuvable")
    return Order(
        fields=fields,
        email=fields.get("email") or None,
        phone=_normal_phone(fields.get("phone_number") or ""),
        category=category,
    )


def fulfil(
    order: Order, organisation: Organisation, agenda: Agenda, *, now: datetime
) -> tuple[Response, list[Invitation]]:
    """Record the person, send by each format, and answer; what was sent is told apart, whatever the answer says."""
    user = _upsert(order, organisation, agenda)
    fate = fate_of(user.last_name)
    if fate is Fate.UNSAVED:
        return JSONResponse({"success": False, "errors": ["Un usager n'a pas pu être enregistré"]}, status_code=422), []
    if fate is Fate.HTML:
        return HTMLResponse("<h1>422 Unprocessable Entity</h1>", status_code=422), []
    sent: list[Invitation] = []
    errors: list[str] = []
    for format_ in order.formats:
        result = _send(user, format_, order, agenda, fate=fate, now=now)
        if isinstance(result, Invitation):
            sent.append(result)
        else:
            errors.append(f"Erreur en envoyant l'invitation par {format_}: {result}")
    if fate is Fate.LOST:
        return HTMLResponse("<h1>500 Internal Server Error</h1>", status_code=500), sent
    if errors:
        return refused(*errors), sent
    answer = {
        "success": True,
        "user": user_with_links_json(user),
        "invitations": [invitation_json(invitation) for invitation in sent],
    }
    return JSONResponse(answer), sent


def refused(*texts: str) -> Response:
    return JSONResponse({"success": False, "errors": [{"error_details": text} for text in texts]}, status_code=422)


def _send(user: User, format_: str, order: Order, agenda: Agenda, *, fate: Fate, now: datetime) -> Invitation | str:
    """The invitation, or why there is none."""
    if fate is Fate.NO_SLOT or (fate is Fate.HALF and format_ == "email"):
        return "il n'y a plus de créneau disponible"
    for appointment in agenda.appointments.values():
        is_upcoming = appointment.category == order.category and appointment.starts_at > now
        if is_upcoming and any(each.user is user and each.status == "unknown" for each in appointment.participations):
            return f"{user.first_name} {user.last_name} a déjà un rendez-vous à venir pour ce motif"
    return agenda.invite(user, format_, order.category) or "invitation déjà envoyée aujourd'hui par ce canal"


def _upsert(order: Order, organisation: Organisation, agenda: Agenda) -> User:
    fields = order.fields
    found = agenda.find_user(
        organisation.department, email=order.email, phone=order.phone, first_name=fields["first_name"]
    )
    user = found or agenda.add_user(
        organisation.department,
        first_name=fields["first_name"],
        last_name=fields["last_name"],
        email=order.email,
        phone=order.phone,
    )
    user.first_name, user.last_name = fields["first_name"], fields["last_name"]
    user.title = fields["title"]
    user.role = fields.get("role", user.role)
    user.address = fields.get("address", user.address)
    user.email, user.phone_number = order.email or user.email, order.phone or user.phone_number
    if "birth_date" in fields:
        born = _parse_day(fields["birth_date"] or "")
        user.birth_date = born.isoformat() if born else None
    user.organisation_ids.add(organisation.rdv_solidarites_id)
    return user


def _person_errors(fields: dict[str, Any], *, today: date) -> list[str]:
    texts = {
        key: fields.get(key) or ""
        for key in ("first_name", "last_name", "title", "role", "email", "phone_number", "birth_date", "nir")
    }
    if not all(isinstance(text, str) for text in texts.values()):
        return ["Un champ n'est pas un texte"]
    born = _parse_day(texts["birth_date"])
    rules = (
        (not texts["first_name"].strip(), "Prénom doit être rempli(e)"),
        (not texts["last_name"].strip(), "Nom doit être rempli(e)"),
        (texts["title"] not in _TITLES, "Civilité n'est pas valide"),
        (bool(texts["role"]) and texts["role"] not in _ROLES, "Rôle n'est pas valide"),
        (bool(texts["email"]) and not _EMAIL.fullmatch(texts["email"]), "Email n'est pas valide"),
        (bool(texts["phone_number"]) and not _normal_phone(texts["phone_number"]), "Téléphone n'est pas valide"),
        (bool(texts["birth_date"]) and not _is_plausible(born, today), "Date de naissance n'est pas valide"),
        (bool(texts["nir"]) and not _NIR.fullmatch(texts["nir"]), "NIR doit être composé de 13 ou 15 chiffres"),
        (
            not any(fields.get(key) for key in ("nir", "email", "phone_number", "department_internal_id")),
            "Il doit y avoir au moins un attribut permettant d'identifier la personne",
        ),
    )
    return [text for is_broken, text in rules if is_broken]


def _has_known_invitation(invitation: object) -> bool:
    if invitation is None:
        return True
    return isinstance(invitation, dict) and cast("dict[str, object]", invitation).keys() <= _INVITATION_KEYS


def _category_of(invitation: object) -> str | None:
    if not isinstance(invitation, dict):
        return None
    category: object = cast("dict[str, object]", invitation).get("motif_category")
    short_name = cast("dict[str, object]", category).get("short_name") if isinstance(category, dict) else None
    return short_name if isinstance(short_name, str) else None


def _normal_phone(text: str) -> str | None:
    """E.164, or None for what is no French number."""
    found = _PHONE.fullmatch(re.sub(r"[\s.-]", "", text))
    return f"+33{found[1]}" if found else None


def _parse_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date(int(text[6:]), int(text[3:5]), int(text[:2]))
    except ValueError:
        return None


def _is_plausible(born: date | None, today: date) -> bool:
    return born is not None and born <= today and today.year - born.year <= _OLDEST_YEARS
