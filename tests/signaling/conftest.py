"""A real server on ephemeral ports with a real record, and clients that speak to it as browsers do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.signaling.clinic import Clinic


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A server with a specialist, another specialist, and two referring sites."""
    async with Clinic.open(tmp_path) as opened:
        yield opened
