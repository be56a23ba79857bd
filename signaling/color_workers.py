"""Runs color work in worker processes that start when first needed, away from the event loop."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()
T = TypeVar("T")


class ColorWorkers:
    """Two processes: a still does not hold up the live calibration."""

    def __init__(self, max_workers: int = 2) -> None:
        self._max_workers = max_workers
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, job: Callable[..., T], *arguments: Any) -> T:
        """Run a picklable job; a worker that died is replaced and the job run once more."""
        try:
            return await asyncio.wrap_future(self._submit(job, *arguments))
        except BrokenProcessPool:
            log.warning("color_worker_died")
            self._pool = None
            return await asyncio.wrap_future(self._submit(job, *arguments))

    def _submit(self, job: Callable[..., T], *arguments: Any) -> Future[T]:
        if self._pool is None:
            # spawn: a fork of a process with threads and sockets is not safe.
            self._pool = ProcessPoolExecutor(
                self._max_workers, mp_context=multiprocessing.get_context("spawn")
            )
        return self._pool.submit(job, *arguments)

    async def stop(self) -> None:
        """Let running jobs end, drop the waiting ones."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await asyncio.to_thread(pool.shutdown, True, cancel_futures=True)
