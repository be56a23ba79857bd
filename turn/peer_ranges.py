"""Addresses that a TURN server must never relay to: everything that is not the public internet.

A TURN server sends whatever its user likes to any peer, from inside the clinic's network; without these
ranges it is a door to every service there. Source: IANA's registries of special-purpose addresses
(RFC 6890 and its updates), and the forms that carry an IPv4 address inside an IPv6 one.
"""

from __future__ import annotations

from typing import NamedTuple


class PeerRange(NamedTuple):
    """A range from its first to its last address, and what it is."""

    first: str
    last: str
    what: str


DENIED_IPV4 = (
    PeerRange("0.0.0.0", "0.255.255.255", '"this host": Linux connects 0.0.0.0 to itself'),  # noqa: S104
    PeerRange("10.0.0.0", "10.255.255.255", "private (RFC 1918)"),
    PeerRange("100.64.0.0", "100.127.255.255", "carrier-grade NAT (RFC 6598)"),
    PeerRange("127.0.0.0", "127.255.255.255", "loopback"),
    PeerRange("169.254.0.0", "169.254.255.255", "link-local; cloud metadata services"),
    PeerRange("172.16.0.0", "172.31.255.255", "private (RFC 1918)"),
    PeerRange("192.0.0.0", "192.0.0.255", "protocol assignments (RFC 6890)"),
    PeerRange("192.0.2.0", "192.0.2.255", "documentation (RFC 5737)"),
    PeerRange("192.88.99.0", "192.88.99.255", "6to4 relays (RFC 7526)"),
    PeerRange("192.168.0.0", "192.168.255.255", "private (RFC 1918)"),
    PeerRange("198.18.0.0", "198.19.255.255", "benchmarks (RFC 2544)"),
    PeerRange("198.51.100.0", "198.51.100.255", "documentation (RFC 5737)"),
    PeerRange("203.0.113.0", "203.0.113.255", "documentation (RFC 5737)"),
    PeerRange("224.0.0.0", "239.255.255.255", "multicast"),
    PeerRange("240.0.0.0", "255.255.255.255", "reserved, and broadcast"),
)

_HOST = "ffff:ffff"
DENIED_IPV6 = (
    # Not from "::": coturn takes an all-zero start for none and would deny every IPv4 address too.
    # "::" itself it refuses without being told.
    PeerRange("::1", f"::{_HOST}", "loopback, IPv4-compatible (RFC 4291)"),
    PeerRange("::ffff:0:0", f"::ffff:{_HOST}", "IPv4-mapped (RFC 4291)"),
    PeerRange("::ffff:0:0:0", f"::ffff:0:{_HOST}", "IPv4-translated (RFC 2765)"),
    PeerRange("64:ff9b::", f"64:ff9b::{_HOST}", "NAT64 (RFC 6052)"),
    PeerRange("64:ff9b:1::", f"64:ff9b:1:ffff:ffff:ffff:{_HOST}", "local-use NAT64 (RFC 8215)"),
    PeerRange("100::", f"100::ffff:ffff:ffff:{_HOST}", "discard only (RFC 6666)"),
    PeerRange("2001::", f"2001:1ff:ffff:ffff:ffff:ffff:{_HOST}", "protocol assignments, Teredo (RFC 4380)"),
    PeerRange("2001:db8::", f"2001:db8:ffff:ffff:ffff:ffff:{_HOST}", "documentation (RFC 3849)"),
    PeerRange("2002::", f"2002:ffff:ffff:ffff:ffff:ffff:{_HOST}", "6to4 (RFC 3056)"),
    PeerRange("3fff::", f"3fff:fff:ffff:ffff:ffff:ffff:{_HOST}", "documentation (RFC 9637)"),
    PeerRange("5f00::", f"5f00:ffff:ffff:ffff:ffff:ffff:{_HOST}", "segment routing (RFC 9602)"),
    PeerRange("fc00::", f"fdff:ffff:ffff:ffff:ffff:ffff:{_HOST}", "unique local (RFC 4193)"),
    PeerRange("fe80::", f"febf:ffff:ffff:ffff:ffff:ffff:{_HOST}", "link-local"),
    PeerRange("fec0::", f"feff:ffff:ffff:ffff:ffff:ffff:{_HOST}", "site-local (RFC 3879)"),
    PeerRange("ff00::", f"ffff:ffff:ffff:ffff:ffff:ffff:{_HOST}", "multicast"),
)

EVERYTHING = (
    PeerRange("0.0.0.0", "255.255.255.255", "every IPv4 address"),  # noqa: S104
    PeerRange("::", f"ffff:ffff:ffff:ffff:ffff:ffff:{_HOST}", "every IPv6 address"),
)
