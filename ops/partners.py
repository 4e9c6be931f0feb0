"""Machine clients of partners on the command line: entered, shown, given new secrets, revoked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from services.partners import Credentials, PartnerSummary

_NOWHERE_ELSE = "The secret is shown once and kept nowhere: give it to the partner over a safe way, now."
_SHOWN = 5  # companies of one client


def words_of(credentials: Credentials) -> str:
    """Return what the partner needs, one line a value, and what to do with it."""
    return f"client_id={credentials.client_id}\nclient_secret={credentials.secret}\n\n{_NOWHERE_ELSE}"


def table_of(partners: Sequence[PartnerSummary]) -> Table:
    table = Table(title="Machine clients")
    table.add_column("client", no_wrap=True)
    for heading in ("name", "scopes", "companies", "secrets", "last token", "state"):
        table.add_column(heading, overflow="fold")
    for partner in partners:
        table.add_row(
            partner.client_id,
            escape(partner.name),
            "\n".join(partner.scopes),
            _companies(partner.sirets),
            f"{partner.secrets}",
            f"{partner.last_used_at:%Y-%m-%d %H:%M}" if partner.last_used_at else "never",
            f"revoked {partner.revoked_at:%Y-%m-%d}" if partner.revoked_at else "active",
        )
    return table


def _companies(sirets: Sequence[str]) -> str:
    more = len(sirets) - _SHOWN
    return "\n".join([*sirets[:_SHOWN], f"and {more} more"] if more > 0 else sirets)
