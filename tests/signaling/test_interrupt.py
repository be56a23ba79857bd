"""Ctrl+C at any moment of `truehue run`: it ends quietly with 130, and its worker processes with it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signaling.cli import INTERRUPTED
from tests.signaling.test_cli import environment

QUIET = re.compile(r"import time:.*|\S+ \[info +\] .*|")
"""What the tests themselves ask to be printed: each import, and log lines of normal work."""


@asynccontextmanager
async def started(data: Path, *arguments: str, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`truehue run` in a process group of its own, as a terminal starts it; each import is printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "importtime", "-m", "signaling.cli", "run", "--json", "--port", "0", *arguments),
        env=environment(data, **settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def said(stream: asyncio.StreamReader | None, words: str) -> None:
    """Wait until a line with these words is printed."""
    assert stream is not None
    while line := await stream.readline():
        if words in line.decode():
            return
    raise AssertionError(f"never said: {words}")


async def interrupted(process: asyncio.subprocess.Process) -> list[str]:
    """Ctrl+C for the whole group; returns what it should not have said."""
    os.killpg(process.pid, signal.SIGINT)
    out, err = await process.communicate()
    lines = [*out.decode().splitlines(), *err.decode().splitlines()]
    return [line for line in lines if not QUIET.fullmatch(line)]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("signaling.cli", id="the first import of our own"),
        pytest.param("typer.main", id="the command line"),
        pytest.param("msgspec.inspect", id="the settings"),
        pytest.param("sqlalchemy.engine", id="the record"),
        pytest.param("cv2", id="the slowest import"),
        pytest.param("signaling.compose", id="the last import"),
        pytest.param("sqlalchemy.dialects.sqlite.aiosqlite", id="opening the record"),
        pytest.param("serving", id="it serves"),
    ],
)
async def test_while_it_starts(tmp_path: Path, moment: str) -> None:
    async with started(tmp_path / "data") as process:
        await said(process.stderr, moment)
        assert await interrupted(process) == []
        assert process.returncode == INTERRUPTED


@pytest.mark.parametrize("arguments", [(), ("--demo",), ("--lan",)])
async def test_while_it_serves_and_it_starts_again(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    for _ in range(2):
        async with started(tmp_path / "data", *arguments, TRUEHUE_LOG_LEVEL="error") as process:
            assert process.stderr is not None
            reading = asyncio.create_task(process.stderr.read())
            await said(process.stdout, "links")
            os.killpg(process.pid, signal.SIGINT)
            assert await process.wait() == INTERRUPTED
            lines = (await reading).decode().splitlines()
            assert [line for line in lines if not QUIET.fullmatch(line)] == []


async def test_a_second_one_changes_nothing(tmp_path: Path) -> None:
    async with started(tmp_path / "data") as process:
        await said(process.stderr, "serving")
        os.killpg(process.pid, signal.SIGINT)
        assert await interrupted(process) == []
        assert process.returncode == INTERRUPTED


WORKERS = """
import asyncio, os, sys, time
from signaling.color_workers import ColorWorkers

async def main():
    workers = ColorWorkers()
    print(await workers.run(os.getpid), flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_workers_outlive_an_interrupt_and_not_their_parent(tmp_path: Path) -> None:
    program = tmp_path / "workers.py"
    program.write_text(WORKERS)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program)),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    worker = int(await process.stdout.readline())
    os.kill(worker, signal.SIGINT)
    os.kill(worker, 0)
    process.kill()
    # They hold the other ends of these pipes: what is read to its end has no writer left.
    _, err = await process.communicate()
    assert b"KeyboardInterrupt" not in err
