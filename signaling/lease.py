"""Which node serves a consultation: a lease in Redis, so that a live room is on one node only."""

from __future__ import annotations

from typing import Protocol

from redis.asyncio import Redis

LEASE_S = 15
"""Renewed every third of it; a node that died frees its consultations after this time."""

_KEEP = """
if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('expire', KEYS[1], ARGV[2]) end
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then return 1 end
return 0
"""
_FREE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class Lease(Protocol):
    """Holds consultations for this node."""

    async def hold(self, consultation_id: str) -> bool:
        """Take or renew; False when another node has it."""

    async def free(self, consultation_id: str) -> None:
        """Let go, if it is ours."""


class OnlyNode:
    """Without Redis there is one node, and every consultation is its own."""

    async def hold(self, consultation_id: str) -> bool:
        """See Lease."""
        return True

    async def free(self, consultation_id: str) -> None:
        """See Lease."""


class RedisLease:
    """Keys with this node's name that expire. Raises redis.RedisError when Redis is away."""

    def __init__(self, redis: Redis, node_name: str) -> None:
        self._redis = redis
        self._node_name = node_name
        self._keep = redis.register_script(_KEEP)
        self._free = redis.register_script(_FREE)

    async def hold(self, consultation_id: str) -> bool:
        """See Lease."""
        return bool(await self._keep(keys=[_key(consultation_id)], args=[self._node_name, LEASE_S]))

    async def free(self, consultation_id: str) -> None:
        """See Lease."""
        await self._free(keys=[_key(consultation_id)], args=[self._node_name])


def _key(consultation_id: str) -> str:
    return f"truehue:room:{consultation_id}"
