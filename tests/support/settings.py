"""Settings of servers that tests start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signaling.settings import Settings


def loopback_settings(data: Path, **more: Any) -> Settings:
    """Embedded defaults on loopback and free ports; more: other settings, or others for these."""
    return Settings(
        **{
            "data": str(data),
            "http_port": 0,
            "media_host": "127.0.0.1",
            "media_port": 0,
            "media_addresses": ("127.0.0.1",),
            "log_level": "error",
            **more,
        }
    )
