"""Renders coturn's configuration from values: deny by default, short-lived credentials, bounded use."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from turn.peer_ranges import DENIED_IPV4, DENIED_IPV6, EVERYTHING, PeerRange

_PLAIN = re.compile(r"[A-Za-z0-9._~+/=:@-]+")


class CoturnConfigError(ValueError):
    """A value that cannot stand in coturn's configuration; `field` names it, its value is not repeated."""

    error_id = "turn.invalid_configuration"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field


@dataclass(frozen=True, slots=True)
class CoturnConfig:
    """What differs between installations.

    secret: shared with the application; 16 characters or more.
    listening_ips, relay_ips: addresses of the TURN host; empty leaves the choice to coturn (all of them).
    external_ips: the public address behind a NAT, each as "public" or "public/private".
    allowed_peers: addresses of the media worker. They are the only peers a client ever needs: when any is
    given, every other peer is denied; when none is, every address that is not public is denied.
    tls_cert, tls_key: PEM files as coturn sees them; both or neither.
    max_session_bytes_per_s: of one allocation and direction.
    """

    secret: str
    realm: str
    listening_ips: tuple[str, ...] = ()
    relay_ips: tuple[str, ...] = ()
    external_ips: tuple[str, ...] = ()
    allowed_peers: tuple[str, ...] = ()
    port: int = 3478
    tls_port: int = 5349
    min_port: int = 49152
    max_port: int = 49407
    tls_cert: str = ""
    tls_key: str = ""
    user_quota: int = 12
    total_quota: int = 240
    max_session_bytes_per_s: int = 1_500_000


def render(config: CoturnConfig) -> str:
    """The text of turnserver.conf; it holds the secret, so the file must be readable by coturn alone.

    Raises CoturnConfigError.
    """
    _check(config)
    return "\n".join(_lines(config)) + "\n"


def _lines(config: CoturnConfig) -> Iterator[str]:
    yield "# Made by `truehue turn-config`; change the settings, not this file."
    yield f"listening-port={config.port}"
    if config.tls_cert:
        yield f"tls-listening-port={config.tls_port}"
        yield f"cert={config.tls_cert}"
        yield f"pkey={config.tls_key}"
        yield "no-tlsv1"
        yield "no-tlsv1_1"
    else:
        yield "no-tls"
        yield "no-dtls"
    yield from (f"listening-ip={ip}" for ip in config.listening_ips)
    yield from (f"relay-ip={ip}" for ip in config.relay_ips)
    yield from (f"external-ip={ip}" for ip in config.external_ips)
    yield f"min-port={config.min_port}"
    yield f"max-port={config.max_port}"
    yield ""
    yield "# Credentials are made by the application and expire; there are no accounts to keep."
    yield f"realm={config.realm}"
    yield "use-auth-secret"
    yield f"static-auth-secret={config.secret}"
    yield "stale-nonce=600"
    yield "fingerprint"
    yield ""
    yield "# Nothing that a consultation does not need: no console, no TCP peers, no version told."
    yield "# (Newer versions do without the first, third and fourth by themselves, and say so.)"
    yield "no-cli"
    yield "no-tcp-relay"
    yield "no-software-attribute"
    yield "no-rfc5780"
    yield "log-file=stdout"
    yield "simple-log"
    yield ""
    yield "# One person has a few devices and tries again a few times; a stolen credential gets no further."
    yield f"user-quota={config.user_quota}"
    yield f"total-quota={config.total_quota}"
    yield f"max-bps={config.max_session_bytes_per_s}"
    yield ""
    yield from _peer_lines(config)


def _peer_lines(config: CoturnConfig) -> Iterator[str]:
    """Rules for peers; coturn looks at allowed ones first, then at denied ones."""
    yield "# A TURN server sends to whom its user says, from inside this network: deny what is not public,"
    yield "# in every form of writing it."
    yield "no-multicast-peers"
    for denied in (*DENIED_IPV4, *DENIED_IPV6):
        yield from _denied(denied)
    if config.allowed_peers:
        yield ""
        yield "# The media worker is the only peer of every call: with its address known, no other is needed."
        for denied in EVERYTHING:
            yield from _denied(denied)
        yield from (f"allowed-peer-ip={ip}" for ip in config.allowed_peers)


def _denied(denied: PeerRange) -> Iterator[str]:
    yield f"# {denied.what}"
    yield f"denied-peer-ip={denied.first}-{denied.last}"


def _check(config: CoturnConfig) -> None:
    if len(config.secret) < 16 or not _PLAIN.fullmatch(config.secret):
        raise CoturnConfigError("secret", "needs 16 or more of A-Z a-z 0-9 and . _ ~ + / = : @ -")
    for field in ("realm", "tls_cert", "tls_key"):
        text: str = getattr(config, field)
        if (text or field == "realm") and not _PLAIN.fullmatch(text):
            raise CoturnConfigError(field, "is empty or has characters that coturn's file cannot hold")
    if bool(config.tls_cert) != bool(config.tls_key):
        raise CoturnConfigError("tls_cert", "certificate and key go together")
    for field in ("listening_ips", "relay_ips", "allowed_peers"):
        for address in getattr(config, field):
            _check_address(field, address)
    for pair in config.external_ips:
        public, _, private = pair.partition("/")
        _check_address("external_ips", public)
        if private or pair.endswith("/"):
            _check_address("external_ips", private)
    for field in ("port", "tls_port", "min_port", "max_port"):
        if not 1 <= getattr(config, field) <= 65535:
            raise CoturnConfigError(field, "is not between 1 and 65535")
    if config.min_port > config.max_port:
        raise CoturnConfigError("min_port", "is above max_port")
    for field in ("user_quota", "total_quota", "max_session_bytes_per_s"):
        if getattr(config, field) < 1:
            raise CoturnConfigError(field, "must be 1 or more: for coturn 0 means without limit")


def _check_address(field: str, address: str) -> None:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise CoturnConfigError(field, "holds what is not an IP address") from None
