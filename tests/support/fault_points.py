"""Every moment at which a kill could do harm, one after the other: between the steps that last.

Steps are writes, forced writes, renames and removals of files, and statements and commits of a database.
A program that takes the same steps each time passes the same points, so all of them can be tried.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection

write = os.write
"""The system's own, for who must not be counted."""


class FaultPoints:
    """Counts points in this process, and kills it at one."""

    def __init__(self, kill_at: int | None) -> None:
        self.passed = 0
        self._kill_at = kill_at
        for name in ("fsync", "replace", "rename", "unlink", "mkdir", "ftruncate"):
            self._wrap(os, name)
        os.write = self._write  # type: ignore[assignment]
        for name in ("execute", "commit"):
            self._wrap_async(AsyncConnection, name)

    def _point(self) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            _die()

    def _wrap(self, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            self._point()
            return real(*arguments, **named)

        setattr(owner, name, wrapped)

    def _wrap_async(self, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        async def wrapped(*arguments: Any, **named: Any) -> Any:
            self._point()
            return await real(*arguments, **named)

        setattr(owner, name, wrapped)

    def _write(self, fd: int, data: bytes) -> int:
        """Two points: nothing was written yet, and half of it was."""
        self._point()
        self.passed += 1
        if self.passed == self._kill_at:
            write(fd, data[: len(data) // 2])
            _die()
        return write(fd, data)


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it was killed")


def killed_at(kill_at: int | None, work: Callable[[], None], told: Callable[[int], None]) -> bool:
    """Work in a forked process that is killed at a point; whether it was. It fails where the work fails.

    told: gets the number of points, in the child, where the work came to its end.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
        return False
    try:
        points = FaultPoints(kill_at)
        work()
        told(points.passed)
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
