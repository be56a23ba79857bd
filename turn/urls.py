"""The URLs that browsers are given for a TURN server: also over TLS, where it has a certificate."""

from __future__ import annotations

from collections.abc import Sequence

from turn.probe import parse_url


def offered_urls(urls: Sequence[str], tls_port: int | None) -> tuple[str, ...]:
    """These URLs, and a turns: URL for each host of a turn: one that has none yet.

    tls_port: where the servers listen for TLS; None where they do not. Over TLS means over TCP: it is the way
    out of networks that let nothing else through. Raises InvalidTurnUrl.
    """
    servers = [parse_url(url) for url in urls]
    offered = list(urls)
    secured = {server.host for server in servers if server.tls}
    for server in servers:
        if tls_port is not None and server.host not in secured:
            secured.add(server.host)
            host = f"[{server.host}]" if ":" in server.host else server.host
            offered.append(f"turns:{host}:{tls_port}?transport=tcp")
    return tuple(offered)
