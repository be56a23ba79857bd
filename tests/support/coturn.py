"""A real coturn on this host, with the configuration that the product ships."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.ports import free_port
from turn.coturn_config import CoturnConfig, render
from turn.credentials import credentials
from turn.probe import Outcome, probe

REALM = "turn.test"


@dataclass(frozen=True)
class Coturn:
    """A running coturn: its URL for browsers, and where it logs."""

    url: str
    port: int
    secret: str
    log: Path


def shipped_config(secret: str, port: int) -> CoturnConfig:
    """The product's configuration on loopback: nothing opened, nothing closed beyond what ships."""
    return CoturnConfig(
        secret=secret,
        realm=REALM,
        listening_ips=("127.0.0.1",),
        relay_ips=("127.0.0.1", "::1"),
        port=port,
    )


@asynccontextmanager
async def start_coturn(
    folder: Path,
    secret: str,
    *,
    allow_loopback: bool = True,
    own_addresses: Sequence[str] = ("127.0.0.1", "::1"),
    lines: Sequence[str] = (),
    changes: Mapping[str, object] | None = None,
) -> AsyncIterator[Coturn]:
    """Run coturn, with its files in folder, until the block ends.

    allow_loopback: open the worker's addresses on this host, own_addresses, which no shipped configuration
    does by itself. changes: other fields of CoturnConfig; lines: more lines of its file.
    """
    program = shutil.which("turnserver")
    if program is None:
        raise FileNotFoundError("turnserver is not installed (Debian: apt-get install coturn)")
    port = free_port()
    config = replace(shipped_config(secret, port), **(changes or {}))  # type: ignore[arg-type]
    extra = list(lines)
    if allow_loopback:
        config = replace(config, allowed_peers=tuple(own_addresses))
        extra.append("allow-loopback-peers")
    file, log = folder / "turnserver.conf", folder / "coturn.log"
    own = [f"pidfile={folder / 'coturn.pid'}", f"userdb={folder / 'users.sqlite'}"]
    file.write_text(render(config) + "\n".join((*own, *extra)) + "\n", encoding="utf-8")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
        )
    try:
        coturn = Coturn(f"turn:127.0.0.1:{port}?transport=udp", port, secret, log)
        await _answering(coturn, process)
        yield coturn
    finally:
        if process.returncode is None:
            os.kill(process.pid, signal.SIGTERM)
        await process.wait()


async def _answering(coturn: Coturn, process: asyncio.subprocess.Process) -> None:
    """Return when coturn grants an allocation."""
    login = credentials(coturn.secret, "start", int(time.time()), 60, (coturn.url,))
    for _ in range(200):
        if process.returncode is not None:
            raise RuntimeError(f"coturn ended at once:\n{coturn.log.read_text(errors='replace')}")
        result = await probe(coturn.url, login, timeout_s=1.0)
        if result.outcome is Outcome.REACHABLE:
            return
        await asyncio.sleep(0.02)  # refused by the kernel at once until the port is bound
    raise TimeoutError(f"coturn does not answer:\n{coturn.log.read_text(errors='replace')}")
