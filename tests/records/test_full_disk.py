"""A full disk, a real one: a typed refusal, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.full_disk import run_on_small_disk


@pytest.mark.parametrize(("what", "size"), [("blobs", "1m"), ("database", "3m")])
async def test_nothing_acknowledged_is_lost_on_a_full_disk(what: str, size: str, tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    for folder in (small, large):
        folder.mkdir()
    await asyncio.to_thread(run_on_small_disk, what, size, small, large)
