"""An ICE-lite agent for many peers on one port (RFC 8445, 2.5): who is at which address. Bytes and now in,
bytes and facts out; no socket."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, MutableMapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from media import stun

Address = tuple[str, int] | tuple[str, int, int, int]
"""A socket address as the system gives it, IPv4 or IPv6."""

Owner = TypeVar("Owner", bound=Hashable)

RESTART_OVERLAP_S = 30.0
MAX_ADDRESSES_PER_OWNER = 8
MAX_GENERATIONS = 4
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class StunOutcome(StrEnum):
    """What a datagram that looked like STUN turned out to be; values name the reasons in RelayStats."""

    VALIDATED = "validated"
    SERVED = "served"
    MALFORMED = "malformed"
    UNKNOWN_UFRAG = "unknown_ufrag"
    WRONG_INTEGRITY = "wrong_integrity"
    NOT_EXPECTED = "unexpected_stun"


@dataclass(frozen=True, slots=True)
class Credentials:
    """One generation of local ICE credentials."""

    ufrag: str
    password: str


@dataclass(frozen=True, slots=True)
class StunResult(Generic[Owner]):
    """What to do after one STUN datagram: reply to the sender, and note who was validated or moved."""

    outcome: StunOutcome
    reply: bytes | None = None
    owner: Owner | None = None
    moved: bool = False
    """The owner's selected address has changed by this datagram."""


@dataclass(slots=True)
class _Peer:
    ufrags: dict[str, float | None]
    addresses: dict[Address, float]
    selected: Address | None
    last_seen_s: float


def new_credentials() -> Credentials:
    """A ufrag of 48 bits (unique on the port) and a password of 144 bits (RFC 8445, 5.3)."""
    return Credentials(
        "".join(secrets.choice(_ALPHABET) for _ in range(8)),
        "".join(secrets.choice(_ALPHABET) for _ in range(24)),
    )


class IceLite(Generic[Owner]):
    """All peers of one port: ufrag -> owner, validated address -> owner, owner -> selected address.

    addresses: where the validated ones are kept, for who looks them up elsewhere too.
    """

    def __init__(self, addresses: MutableMapping[Address, Owner] | None = None) -> None:
        self._by_ufrag: dict[bytes, tuple[Owner, bytes]] = {}
        self._by_address: MutableMapping[Address, Owner] = {} if addresses is None else addresses
        self._peers: dict[Owner, _Peer] = {}

    def add(self, owner: Owner, credentials: Credentials, now: float) -> None:
        """Give an owner credentials; those it had stay valid for RESTART_OVERLAP_S (an ICE restart)."""
        peer = self._peers.get(owner)
        if peer is None:
            peer = self._peers[owner] = _Peer({}, {}, None, now)
        for ufrag, until in peer.ufrags.items():
            if until is None:
                peer.ufrags[ufrag] = now + RESTART_OVERLAP_S
        peer.ufrags[credentials.ufrag] = None
        while len(peer.ufrags) > MAX_GENERATIONS:
            oldest = next(iter(peer.ufrags))
            del peer.ufrags[oldest]
            self._by_ufrag.pop(oldest.encode(), None)
        self._by_ufrag[credentials.ufrag.encode()] = (owner, credentials.password.encode())

    def remove(self, owner: Owner) -> None:
        """Forget an owner, its credentials and its addresses."""
        peer = self._peers.pop(owner, None)
        if peer is None:
            return
        for ufrag in peer.ufrags:
            self._by_ufrag.pop(ufrag.encode(), None)
        for address in peer.addresses:
            self._by_address.pop(address, None)

    def expire(self, now: float) -> None:
        """Drop credentials whose overlap after a restart is over."""
        for peer in self._peers.values():
            for ufrag in [u for u, until in peer.ufrags.items() if until is not None and until <= now]:
                del peer.ufrags[ufrag]
                self._by_ufrag.pop(ufrag.encode(), None)

    def owner_of(self, address: Address) -> Owner | None:
        """Whose validated address this is."""
        return self._by_address.get(address)

    def selected(self, owner: Owner) -> Address | None:
        """Where to send to an owner, or None before validation."""
        peer = self._peers.get(owner)
        return peer.selected if peer is not None else None

    def last_seen_s(self, owner: Owner) -> float:
        """When an owner's last authentic datagram came (or when it was added)."""
        return self._peers[owner].last_seen_s

    def touch(self, owner: Owner, now: float) -> None:
        """An authentic media packet came from an owner's validated address."""
        peer = self._peers.get(owner)
        if peer is not None:
            peer.last_seen_s = now

    def rebind(self, owner: Owner, address: Address, now: float) -> None:
        """Media of an owner authenticated from another address: its NAT has moved it, so follow at once."""
        peer = self._peers.get(owner)
        if peer is not None:
            self._validate(owner, peer, address, now)
            peer.selected = address

    def receive(self, datagram: bytes, address: Address, now: float) -> StunResult[Owner]:
        """Handle one datagram that looked like STUN.

        A binding request with USERNAME must carry good integrity (RFC 8445, 7.3); one without is served as a
        plain STUN server would. Errors are answered only where the sender proved to know a ufrag.
        """
        try:
            message = stun.parse(datagram)
        except stun.MalformedStun:
            return StunResult(StunOutcome.MALFORMED)
        if message.message_type != stun.BINDING_REQUEST:
            return StunResult(StunOutcome.NOT_EXPECTED)
        username = message.attributes.get(stun.USERNAME)
        transaction_id = message.transaction_id
        if username is None:
            return self._serve(message, address)
        found = self._by_ufrag.get(username.partition(b":")[0])
        if found is None:
            return StunResult(StunOutcome.UNKNOWN_UFRAG)
        owner, password = found
        if not message.has_integrity(password):
            return StunResult(StunOutcome.WRONG_INTEGRITY)
        unknown = message.unknown_required()
        if unknown:
            return StunResult(StunOutcome.NOT_EXPECTED, _refuse_unknown(transaction_id, unknown, password))
        if stun.ICE_CONTROLLED in message.attributes:
            # Two controlled sides: we are lite and stay controlled (RFC 8445, 7.3.1.1).
            conflict = [(stun.ERROR_CODE, stun.error_code(487, "Role Conflict"))]
            reply = stun.build(stun.BINDING_ERROR, transaction_id, conflict, password)
            return StunResult(StunOutcome.NOT_EXPECTED, reply)
        peer = self._peers[owner]
        self._validate(owner, peer, address, now)
        nominated = stun.USE_CANDIDATE in message.attributes
        before = peer.selected
        if peer.selected is None or nominated:
            # The first validated address serves until the controlling side nominates one.
            peer.selected = address
        mapped = [(stun.XOR_MAPPED_ADDRESS, stun.xor_address(address[0], address[1], transaction_id))]
        reply = stun.build(stun.BINDING_SUCCESS, transaction_id, mapped, password)
        return StunResult(StunOutcome.VALIDATED, reply, owner, before != peer.selected)

    def _serve(self, message: stun.StunMessage, address: Address) -> StunResult[Owner]:
        if message.integrity_at >= 0:
            return StunResult(StunOutcome.NOT_EXPECTED)
        unknown = message.unknown_required()
        if unknown:
            return StunResult(StunOutcome.SERVED, _refuse_unknown(message.transaction_id, unknown, None))
        mapped = [(stun.XOR_MAPPED_ADDRESS, stun.xor_address(address[0], address[1], message.transaction_id))]
        return StunResult(
            StunOutcome.SERVED, stun.build(stun.BINDING_SUCCESS, message.transaction_id, mapped)
        )

    def _validate(self, owner: Owner, peer: _Peer, address: Address, now: float) -> None:
        previous = self._by_address.get(address)
        if previous is not None and previous != owner:
            # A NAT gave the address to somebody else, who has just proved it.
            stale = self._peers[previous]
            del stale.addresses[address]
            if stale.selected == address:
                stale.selected = max(stale.addresses, key=stale.addresses.__getitem__, default=None)
        self._by_address[address] = owner
        peer.addresses[address] = now
        peer.last_seen_s = now
        if len(peer.addresses) > MAX_ADDRESSES_PER_OWNER:
            idle = [a for a in peer.addresses if a not in (address, peer.selected)]
            oldest = min(idle, key=peer.addresses.__getitem__)
            del peer.addresses[oldest]
            del self._by_address[oldest]


def _refuse_unknown(transaction_id: bytes, unknown: tuple[int, ...], password: bytes | None) -> bytes:
    listed = b"".join(kind.to_bytes(2, "big") for kind in unknown)
    attributes = [
        (stun.ERROR_CODE, stun.error_code(420, "Unknown Attribute")),
        (stun.UNKNOWN_ATTRIBUTES, listed),
    ]
    return stun.build(stun.BINDING_ERROR, transaction_id, attributes, password)
