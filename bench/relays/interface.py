"""What the bench needs of a relay: start it, let peers join, know its process, stop it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from bench.harness import Value
from bench.load.peer import Peer

ANSWER_S = 30.0


class CannotRun(Exception):
    """A relay is not there, or could not be made; the words say why and what would help."""


def free_port() -> int:
    """A TCP port that is free on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ended(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and see to it that it does."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), ANSWER_S)
    except TimeoutError:
        process.kill()
        await process.wait()


class Relay(Protocol):
    """One relay under test. alters_media: it codes anew, so that no packet can be recognised."""

    alters_media: bool

    @property
    def pid(self) -> int:
        """Its first process; its threads and descendants count too."""

    async def start(self, folder: Path, host: str) -> Mapping[str, Value]:
        """Serve on an address of this host; what is worth knowing of it. Raises CannotRun."""

    async def publish(self, room: int, peer: Peer) -> None:
        """Negotiate a publisher; the peer connects afterwards."""

    async def subscribe(self, room: int, peer: Peer) -> None:
        """Negotiate a viewer of the room's publisher, who sends already."""

    async def stop(self) -> None:
        """End it."""


class OwnProcess:
    """A Python program of this bench that answers a line of JSON with a line of JSON."""

    def __init__(self, module: str, environment: Mapping[str, str] | None = None) -> None:
        self._module = module
        self._environment = environment or {}
        self._process: asyncio.subprocess.Process
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def start(self, *arguments: str) -> dict[str, Any]:
        """Run it; its first line."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", self._module, *arguments),
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 22,
        )
        return await self._line()

    async def ask(self, **request: object) -> dict[str, Any]:
        """Send a request and return the answer; an answer with "error" raises RuntimeError."""
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            await self._process.stdin.drain()
            return await self._line()

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_S)
        if not line:
            raise RuntimeError(f"{self._module} ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self._module}: {answer['error']}")
        return answer

    async def stop(self) -> None:
        """Close its input, at which it ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), ANSWER_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
