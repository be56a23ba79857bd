"""`truehue doctor`: looks at everything that a server needs, and says what it found."""

from __future__ import annotations

import asyncio
import platform
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import aiohttp
from redis.asyncio import Redis
from redis.exceptions import RedisError

from signaling.backups import is_late
from signaling.compose import (
    INTERFACE_DIR,
    latest_backup,
    open_records,
    probe_turn,
    turn_urls,
    utc_now,
    why_not_native,
)
from signaling.mail import Mailer
from signaling.settings import Settings

FREE_BYTES_WANTED = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, whether it is fine, and words."""

    what: str
    fine: bool
    words: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Every finding, in turn."""
    for finding in _programs():
        yield finding
    yield _interface()
    yield _packets(settings)
    yield _disk(settings)
    serving = await _serves(settings)
    yield _port("HTTP port", settings.http_host, settings.http_port, socket.SOCK_STREAM, serving)
    yield _port("media port", settings.media_host, settings.media_port, socket.SOCK_DGRAM, serving)
    yield await _record(settings)
    yield await _backup(settings)
    async for finding in _servers(settings):
        yield finding


def _programs() -> Iterator[Finding]:
    fine = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding("python", fine, f"{platform.python_version()} on {platform.system()}")
    for package in ("av", "opencv-python-headless", "aiortc", "aiohttp", "python-socketio"):
        try:
            yield Finding(package, True, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, "is not installed")


def _interface() -> Finding:
    built = (INTERFACE_DIR / "s" / "index.html").exists()
    return Finding("web interface", built, "is built" if built else "is not built: ./dev run builds it")


def _packets(settings: Settings) -> Finding:
    """How packets are relayed. Python alone is slower and fine: it is a setting, or a system without C."""
    reason = "by the setting native" if not settings.native else why_not_native()
    return Finding(
        "packets", True, "are relayed in C" if reason is None else f"are relayed in Python: {reason}"
    )


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return Finding("disk", free > FREE_BYTES_WANTED, f"{free / 1e9:.1f} GB free for the data folder")


async def _serves(settings: Settings) -> bool:
    """Whether a server with these settings runs already: its ports are then taken, as they should be."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.http_host, settings.http_host)  # noqa: S104
    url = f"{'https' if settings.tls_cert else 'http'}://{f'[{host}]' if ':' in host else host}"
    timeout = aiohttp.ClientTimeout(total=3)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            # Its certificate is for the public name, not for this address.
            session.get(f"{url}:{settings.http_port}/healthz", ssl=False) as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def _port(what: str, host: str, port: int, kind: socket.SocketKind, serving: bool) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probing:
        try:
            if kind is socket.SOCK_STREAM:
                probing.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probing.bind((host, port))
        except OSError as error:
            if serving:
                return Finding(what, True, f"{port} is taken by the server that runs")
            return Finding(what, False, f"{port} cannot be taken: {error.strerror}")
    return Finding(what, True, f"{port} is free")


async def _record(settings: Settings) -> Finding:
    if not settings.master_key_path.exists():
        return Finding("record", True, "none yet: the first start makes it")
    try:
        records = await open_records(settings)
    except Exception as error:
        return Finding("record", False, f"cannot be opened ({type(error).__name__})")
    try:
        count = await records.verify_audit()
    except Exception as error:
        return Finding("record", False, f"the audit does not hold ({type(error).__name__})")
    finally:
        await records.close()
    return Finding("record", True, f"opens; {count} audit lines hold together")


async def _backup(settings: Settings) -> Finding:
    """The last backup at the second place; none is fine as long as there is no record."""
    if not settings.backup_to:
        return Finding("backup", True, "not set up: nothing is copied to a second place by itself")
    if not settings.master_key_path.exists():
        return Finding("backup", True, "none yet: there is no record")
    try:
        last = await latest_backup(settings, settings.backup_to)
    except Exception as error:
        return Finding("backup", False, f"the second place cannot be read ({type(error).__name__})")
    if last is None:
        return Finding("backup", False, "none yet: truehue backup makes one")
    age_h = (utc_now() - last).total_seconds() / 3600
    return Finding("backup", not is_late(utc_now(), last), f"the last one is {age_h:.0f} hours old")


async def _servers(settings: Settings) -> AsyncIterator[Finding]:
    """Those that a setting names; what is not set up is said, and is fine."""
    if settings.redis_url:
        yield await _redis(settings.redis_url)
    else:
        yield Finding("redis", True, "not set up: one node")
    if not settings.turn_urls:
        yield Finding("turn", True, "not set up: calls need a direct way to the media port")
    for url in turn_urls(settings):
        relays, words = await probe_turn(settings, url)
        yield Finding(f"turn {url}", relays, words)
    if settings.smtp_url:
        reachable = await Mailer(settings.smtp_url, settings.mail_from).reachable()
        yield Finding("smtp", reachable, "answers" if reachable else "does not answer")
    else:
        yield Finding("smtp", True, "not set up: links are shown, not mailed")


async def _redis(url: str) -> Finding:
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(url, socket_connect_timeout=5)
        stack.push_async_callback(redis.aclose)
        try:
            await asyncio.wait_for(redis.ping(), 5)
        except (RedisError, OSError, TimeoutError):
            return Finding("redis", False, "does not answer")
        return Finding("redis", True, "answers")
