"""Denied peers: whatever Python's ipaddress calls private, and IPv4 in every IPv6 dress."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turn.peer_ranges import DENIED_IPV4, DENIED_IPV6, EVERYTHING


def denied(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(IPv4Address(r.first) <= address <= IPv4Address(r.last) for r in DENIED_IPV4)
    return any(IPv6Address(r.first) <= address <= IPv6Address(r.last) for r in DENIED_IPV6)


@given(st.ip_addresses(v=4))
def test_ipv4_that_is_not_global_is_denied(address: IPv4Address) -> None:
    if not address.is_global or address.is_multicast:
        assert denied(address)


@given(st.ip_addresses(v=6))
def test_ipv6_that_is_not_global_is_denied(address: IPv6Address) -> None:
    if not address.is_global or address.is_multicast or address.is_site_local:
        assert denied(address) or address == IPv6Address("::")


@given(st.ip_addresses(v=4), st.integers(0, 2**80 - 1))
def test_every_form_of_ipv4_inside_ipv6_is_denied(address: IPv4Address, rest: int) -> None:
    number = int(address)
    forms = {
        "mapped": 0xFFFF << 32 | number,
        "translated": 0xFFFF << 48 | number,
        "NAT64": 0x64FF9B << 96 | number,
        "local NAT64": 0x64FF9B0001 << 80 | rest,
        "6to4": 0x2002 << 112 | number << 80 | rest,
        "Teredo": 0x20010000 << 96 | rest,
    }
    if number:
        forms["compatible"] = number
    for name, form in forms.items():
        assert denied(IPv6Address(form)), name


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "91.198.174.192", "172.32.0.1", "100.128.0.1"])
def test_public_ipv4_is_not_denied(address: str) -> None:
    assert not denied(IPv4Address(address))


@pytest.mark.parametrize("address", ["2606:4700::1111", "2a00:1450:4001::1", "2400:3200::1"])
def test_public_ipv6_is_not_denied(address: str) -> None:
    assert not denied(IPv6Address(address))


def test_no_range_starts_where_coturn_sees_none() -> None:
    """An all-zero start means "no lower end" to coturn, over both families; only EVERYTHING may mean that."""
    assert [r.first for r in DENIED_IPV6 if int(IPv6Address(r.first)) == 0] == []
    assert [(r.first, r.last[:4]) for r in EVERYTHING] == [("0.0.0.0", "255."), ("::", "ffff")]
