"""Which addresses go into ICE candidates: this host's, or those configured; loopback last and seldom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

IpAddress = IPv4Address | IPv6Address


def host_addresses() -> list[IpAddress]:
    """Every usable address of this host's interfaces: none that is link-local or unspecified."""
    found: list[IpAddress] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            address = ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            if not address.is_link_local and not address.is_unspecified and address not in found:
                found.append(address)
    return found


def is_loopback(text: str | None) -> bool:
    """Whether a text is a loopback address; IPv4-mapped ones too. Anything else is not."""
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def announced(
    bind_host: str,
    configured: Sequence[str],
    host: Iterable[IpAddress],
    has_ipv6: bool,
    remote_hint: str | None,
) -> tuple[str, ...]:
    """Addresses for a participant's candidates, best first.

    Loopback only for a participant on this host, or when there is nothing else. Raises ValueError when a
    configured address is none.
    """
    bound = ip_address(bind_host)
    if configured:
        addresses: list[IpAddress] = [ip_address(text) for text in configured]
    elif bound.is_unspecified:
        addresses = sorted(host, key=lambda address: address.version)
    else:
        addresses = [bound]
    if not has_ipv6:
        addresses = [a for a in addresses if a.version == 4]
    outward = [a for a in addresses if not a.is_loopback]
    loopback = [a for a in addresses if a.is_loopback]
    if outward and not is_loopback(remote_hint):
        loopback = []
    return tuple(str(a) for a in [*outward, *loopback])
