"""Runs color work in worker processes that start when first needed, away from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
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
                self._max_workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_end_with_the_parent,
            )
        with _without_interrupts():  # the first job starts the processes
            return self._pool.submit(job, *arguments)

    async def stop(self) -> None:
        """Let running jobs end, drop the waiting ones."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await asyncio.to_thread(pool.shutdown, True, cancel_futures=True)


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that start in this block get no Ctrl+C of a terminal: this one ends them, in order."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which else starts within, and takes the block away
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_the_parent() -> None:
    """In a worker: a server that was killed leaves no process behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
