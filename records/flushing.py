"""One flush to disk for everybody who waits for one: commits that end together cost one fsync together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class GroupFlush:
    """Whoever waits is served by a flush that begins after they came, and shares it with all who came before
    it began."""

    def __init__(self, flush: Callable[[], Awaitable[None]]) -> None:
        self._flush = flush
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Return once a flush that began after this call has ended; raises what it raised."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._running))
        await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        await self._flush()
