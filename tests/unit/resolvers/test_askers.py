"""Who is counted as one."""

from __future__ import annotations

from uuid import UUID

import pytest

from resolvers.askers import asker_of

ACCOUNT = UUID("00000000-0000-0000-0000-00000000000a")


@pytest.mark.parametrize(
    ("address", "asker"),
    [
        ("192.0.2.17", "address 192.0.2.17"),
        ("::ffff:192.0.2.17", "address 192.0.2.17"),
        ("2001:db8:1:2:3:4:5:6", "network 2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "network 2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "network 2001:db8:1:3::/64"),
        ("fe80::1%eth0", "network fe80::/64"),
        ("", "unknown"),
        ("unknown", "unknown"),
        ("192.0.2.17:443", "unknown"),
        ("_hidden", "unknown"),
    ],
)
def test_an_address_is_one_client_and_of_ipv6_what_one_customer_holds(address: str, asker: str):
    assert asker_of(None, address) == asker


def test_an_account_is_itself_wherever_it_is():
    assert asker_of(ACCOUNT, "192.0.2.17") == asker_of(ACCOUNT, "2001:db8::1") == f"account {ACCOUNT}"
