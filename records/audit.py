"""The append-only audit: a hash chain over its lines, and a keyed seal on its end.

Anybody can recompute the chain; only a holder of the master key can seal its end, so neither a changed line,
nor a removed tail, nor a chain computed anew goes unseen. Lines hold ids, never personal data.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from records.interface import AuditEvent, Conflict, Role

GENESIS = "0" * 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOMAIN = b"truehue/audit/1"
_DOMAIN_WITH_ORIGIN = b"truehue/audit/2"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: number of lines, hash of the last one, and its keyed seal."""

    sequence: int
    hash: str
    mac: str


def line_hash(
    previous: str,
    sequence: int,
    at: datetime,
    actor_id: str,
    role: Role,
    action: str,
    resource: str,
    reason: str,
    sealed_origin: bytes | None = None,
) -> str:
    """SHA-256 (hex) of a line and the hash before it.

    Canonical: each field behind its length in four bytes, so that no two lines share an encoding; the time
    counts microseconds since 1970. Lines with an origin and lines without one begin differently.
    """
    microseconds = (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    digest = hashlib.sha256(_DOMAIN if sealed_origin is None else _DOMAIN_WITH_ORIGIN)
    words = (previous, str(sequence), str(microseconds), actor_id, role, action, resource, reason)
    for raw in (*(word.encode() for word in words), *(() if sealed_origin is None else (sealed_origin,))):
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.hexdigest()


def next_event(
    head: Head,
    at: datetime,
    actor_id: str,
    role: Role,
    action: str,
    resource: str,
    reason: str,
    sealed_origin: bytes | None = None,
) -> AuditEvent:
    """The line that follows a head."""
    sequence = head.sequence + 1
    digest = line_hash(head.hash, sequence, at, actor_id, role, action, resource, reason, sealed_origin)
    return AuditEvent(sequence, at, actor_id, role, action, resource, reason, digest, sealed_origin)


def seal_head(key: bytes, sequence: int, last_hash: str) -> Head:
    """A head with its keyed seal (HMAC-SHA-256)."""
    mac = hmac.new(key, f"{sequence}/{last_hash}".encode(), hashlib.sha256).hexdigest()
    return Head(sequence, last_hash, mac)


def verify_lines(previous: str, first_sequence: int, events: Iterable[AuditEvent]) -> tuple[str, int]:
    """Walk lines that follow `previous`; returns the last hash and the next sequence, raises Conflict."""
    sequence = first_sequence
    for event in events:
        expected = line_hash(
            previous,
            sequence,
            event.at,
            event.actor_id,
            event.role,
            event.action,
            event.resource,
            event.reason,
            event.sealed_origin,
        )
        if event.sequence != sequence or not hmac.compare_digest(event.hash, expected):
            raise Conflict(f"the audit breaks at line {sequence}")
        previous, sequence = event.hash, sequence + 1
    return previous, sequence


def is_sealed(keys: Iterable[bytes], head: Head) -> bool:
    """Whether one of these keys sealed a head."""
    return any(
        hmac.compare_digest(head.mac.encode(), seal_head(key, head.sequence, head.hash).mac.encode())
        for key in keys
    )


def verify_head(keys: Iterable[bytes], head: Head, last_hash: str, count: int) -> None:
    """Check the end of a walked chain against its head, sealed by one of these keys; raises Conflict."""
    if head.sequence != count or head.hash != last_hash:
        raise Conflict(f"the audit ends at line {count} and should end at line {head.sequence}")
    if not is_sealed(keys, head):
        raise Conflict("the end of the audit carries a foreign seal")
