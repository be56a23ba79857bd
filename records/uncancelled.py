"""Work that runs to its end though whoever waits for it be cancelled: the cancellation is told afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uncancelled(work: Coroutine[Any, Any, T]) -> T:
    """Run work in a task of its own and wait for its end, however often the caller is cancelled meanwhile.

    Raises CancelledError then, in place of the work's own error, which nobody asked for any more.
    """
    task = asyncio.get_running_loop().create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that nobody warns of it
        raise cancelled
    return task.result()
