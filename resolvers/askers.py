"""Who is counted as one where something is limited."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID


def asker_of(account: UUID | None, network_address: str) -> str:
    """Return an account, or a network address; of IPv6 the part that one customer holds."""
    if account is not None:
        return f"account {account}"
    try:
        address = ip_address(network_address)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return f"network {ip_network((address, 64), strict=False)}"
    return f"address {address}"
