"""Killed at any line of its work, the record keeps what it acknowledged and clears what it did not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

RUNS = 20


async def test_nothing_acknowledged_is_lost_and_no_orphan_stays(database_url: str, tmp_path: Path) -> None:
    program = [
        sys.executable,
        "-m",
        "tests.support.crashing",
        database_url,
        str(tmp_path),
        str(RUNS),
        "20260304",
    ]
    done = await asyncio.to_thread(subprocess.run, program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
