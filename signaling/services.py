"""What the HTTP doors need, put together by compose.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aiohttp import web

from records.interface import Records
from signaling.auth import Auth
from signaling.backups import Backups
from signaling.bus import Bus
from signaling.lesion_measuring import LesionMeasuring
from signaling.mail import Mailer
from signaling.messages import IceServer
from signaling.metrics import Metrics
from signaling.reading import Reader
from signaling.settings import Settings
from signaling.stills import Stills

IceServers = Callable[[str, datetime], list[IceServer]]
"""ICE servers with fresh credentials for somebody's id."""


@dataclass(slots=True)
class Services:
    """The parts and use cases behind the doors."""

    settings: Settings
    records: Records
    auth: Auth
    reader: Reader
    stills: Stills
    measuring: LesionMeasuring
    bus: Bus
    mailer: Mailer | None
    ice_servers: IceServers
    metrics: Metrics
    clock: Callable[[], datetime]
    ui_dir: Path
    backups: Backups | None = None
    public_url: str = ""
    """Set once the port is known."""


SERVICES = web.AppKey("services", Services)
