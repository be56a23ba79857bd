"""Killed at any line or step, the record keeps what it acknowledged and clears what it did not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

RUNS = 20


async def _run(module: str, *arguments: str) -> str:
    program = [sys.executable, "-m", f"tests.support.{module}", *arguments]
    done = await asyncio.to_thread(subprocess.run, program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def test_nothing_acknowledged_is_lost_and_no_orphan_stays(database_url: str, tmp_path: Path) -> None:
    await _run("crashing", database_url, str(tmp_path), str(RUNS), "20260304")


async def test_each_step_may_be_the_last(database_url: str, tmp_path: Path) -> None:
    await _run("crashing", database_url, str(tmp_path), "points")


async def test_a_rotation_may_be_killed_at_each_step(database_url: str, tmp_path: Path) -> None:
    await _run("rotating", database_url, str(tmp_path))
