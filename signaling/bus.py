"""Tells that something changed, to this node and, through Redis, to the others: ids only, never what changed.

Whoever hears of a change reads the record again, so no patient data passes through Redis.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

log = structlog.get_logger()

CHANNEL = "truehue:changes"
RETRY_S = 1.0


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has changed. Each id may be empty.

    consultation_id: its participants, or the snapshot or capture named beside it. specialist_id: this
    specialist's day. site_id: this site's referrals. open_referrals: what every specialist may accept.
    video_frame: the snapshot is a frame of the video, kept in place of the capture's still.
    """

    consultation_id: str = ""
    snapshot_id: str = ""
    capture_id: str = ""
    specialist_id: str = ""
    site_id: str = ""
    open_referrals: bool = False
    video_frame: bool = False


Listener = Callable[[Change], None]


class Bus(Protocol):
    """Where changes are told."""

    def listen(self, listener: Listener) -> None:
        """Call listener at every change from now on, on the loop's thread."""

    async def publish(self, change: Change) -> None:
        """Tell a change to every listener of every node."""

    async def stop(self) -> None:
        """Let go of connections."""


class LocalBus:
    """One node: listeners are called at once."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """See Bus."""
        self._listeners.append(listener)

    async def publish(self, change: Change) -> None:
        """See Bus."""
        self.tell(change)

    def tell(self, change: Change) -> None:
        """Call the listeners of this node."""
        for listener in self._listeners:
            listener(change)

    async def stop(self) -> None:
        """See Bus."""


class _FromNode(msgspec.Struct):
    node: str
    change: Change


class RedisBus(LocalBus):
    """Several nodes: this one's listeners at once, the others' through a Redis channel."""

    def __init__(self, redis: Redis, node_name: str) -> None:
        super().__init__()
        self._redis = redis
        self._node_name = node_name
        self._subscribed = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._receive())

    async def ready(self) -> None:
        """Wait until changes of other nodes are heard."""
        await self._subscribed.wait()

    async def publish(self, change: Change) -> None:
        """See Bus. Other nodes miss it when Redis is away: their pages are stale until the next change."""
        self.tell(change)
        try:
            await self._redis.publish(CHANNEL, msgspec.json.encode(_FromNode(self._node_name, change)))
        except RedisError as error:
            log.warning("redis_publish_failed", error=type(error).__name__)

    async def _receive(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=False) as channel:
                    await channel.subscribe(CHANNEL)
                    await self._listen_to(channel)
            except (RedisError, OSError) as error:
                self._subscribed.clear()
                log.warning("redis_lost", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)

    async def _listen_to(self, channel: PubSub) -> None:
        async for message in channel.listen():
            if message["type"] == "subscribe":
                self._subscribed.set()
            elif message["type"] == "message":
                try:
                    told = msgspec.json.decode(message["data"], type=_FromNode)
                except msgspec.MsgspecError:
                    log.warning("redis_message_malformed")
                    continue
                if told.node != self._node_name:
                    self.tell(told.change)

    async def stop(self) -> None:
        """See Bus."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
