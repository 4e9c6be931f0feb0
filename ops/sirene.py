"""`traverse sirene renew-password`: the password of INSEE's account, which ends after ninety days."""

from __future__ import annotations

from rich.console import Console

from clients.errors import Delivery, PartnerError, PartnerRejected
from clients.sirene import SireneClient

_REFUSED = (
    "INSEE refused: SIRENE_PASSWORD is not the password of now, or the new one breaks a rule. Nothing was changed."
)
_NOT_ASKED = "INSEE could not be asked: the old password stands. Try again later."
_UNKNOWN = "INSEE gave no answer: either password may be the right one. `traverse doctor`, with each, tells which."
_RENEWED = "Renewed. Set SIRENE_PASSWORD to the new one now, everywhere, and restart: the old one ends here."


async def renew_with_words(client: SireneClient, new_password: str, console: Console) -> bool:
    """Replace the password at INSEE and say what is to be done next. False: it was not, or nobody knows."""
    try:
        await client.renew_password(new_password)
    except PartnerRejected:
        console.print(_REFUSED)
        return False
    except PartnerError as error:
        console.print(_NOT_ASKED if error.delivery is Delivery.NOT_SENT else _UNKNOWN)
        return False
    console.print(_RENEWED)
    return True
