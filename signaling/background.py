"""Work beside the requests: tasks whose failures are logged and that are let to end, not cut off, at a stop.

A task that is cancelled in the middle of a transaction leaves the database to clear up; so nothing is
cancelled before it had its time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger()

STOP_WITHIN_S = 10.0


class Background:
    """The tasks of one owner."""

    def __init__(self, name: str) -> None:
        """name: of the owner, for log lines."""
        self._name = name
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopping = asyncio.Event()
        """Set when the owner stops: loops look at it."""

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run work; after the stop it is dropped."""
        if self.stopping.is_set():
            work.close()
            return
        task = asyncio.get_running_loop().create_task(self._guard(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:
            log.error("background_failed", of=self._name, error=type(error).__name__)

    async def sleep(self, seconds: float) -> bool:
        """Wait; True when the owner stops meanwhile."""
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def settle(self) -> None:
        """Wait until nothing runs."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Take no more work and let what runs end; cancel what has not within STOP_WITHIN_S."""
        self.stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
