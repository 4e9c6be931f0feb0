"""Who is counted as one where something is limited."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID


def asker_of(account: UUID | None, network_address: str) -> str:
    """Return an account, or a network address."""
    return network_of(network_address) if account is None else f"account {account}"


@lru_cache(maxsize=8_192)
def network_of(network_address: str) -> str:
    """Return a network address; of IPv6 the part that one customer holds."""
    try:
        address = ip_address(network_address)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        # What a socket for both kinds calls an IPv4 address: all of them lie in one network.
        if address.ipv4_mapped is None:
            return f"network {ip_network((address, 64), strict=False)}"
        address = address.ipv4_mapped
    return f"address {address}"
