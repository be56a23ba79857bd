"""Cancels work at a chosen place: at its n-th suspension, the same one in every run."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


class _Steps:
    """Drives a coroutine and asks for the cancellation of its task as it suspends for the n-th time."""

    def __init__(self, work: Coroutine[Any, Any, Any], cancel_at: frozenset[int]) -> None:
        self._work = work
        self._cancel_at = cancel_at
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        sent: BaseException | None = None
        while True:
            try:
                future = next(steps) if sent is None else steps.throw(sent)
            except StopIteration as done:
                return done.value
            sent = None
            if self.suspensions in self._cancel_at:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            self.suspensions += 1
            try:
                yield future
            except BaseException as error:
                sent = error


async def cancelled_at(work: Coroutine[Any, Any, Any], *suspensions: int) -> bool:
    """Run work and cancel it at these suspensions, counted from 0. Whether it got as far as the first."""

    async def drive() -> None:
        await steps

    steps = _Steps(work, frozenset(suspensions))
    task = asyncio.get_running_loop().create_task(drive())
    await asyncio.wait([task])
    reached = steps.suspensions > min(suspensions)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error
    assert task.cancelled() or not reached
    return reached
