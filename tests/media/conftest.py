"""Fixtures of the media tests: workers that carry packets in C, where that was built, and in Python."""

from __future__ import annotations

import pytest

from media import native
from tests.media import rtc_peer

WAYS = ["native", "python"] if native.why_not() is None else ["python"]


@pytest.fixture(params=WAYS)
def packet_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the workers that `relay` starts carry packets."""
    way: str = request.param
    monkeypatch.setattr(rtc_peer, "NATIVE", way == "native")
    return way
