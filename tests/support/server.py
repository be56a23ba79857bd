"""The product as its own process, on free ports and with data of its own: what `./dev run` starts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunningServer:
    """A started server: what `truehue run --json` printed, its process, and where it logs."""

    url: str
    pid: int
    links: Mapping[str, str]
    """One-time sign-in links by role, and the demo patient's link where there is one."""
    log: Path


@asynccontextmanager
async def running_server(
    folder: Path, *arguments: str, within: Sequence[str] = (), **settings: object
) -> AsyncIterator[RunningServer]:
    """`truehue run --json` until the block ends; settings as in signaling/settings.py, data in folder.

    within: a command that becomes the one that follows it, such as one that changes what the server sees.
    """
    own: dict[str, object] = {"data": folder / "data", "http_port": 0, "media_port": 0, "log_format": "json"}
    variables = {f"TRUEHUE_{name.upper()}": str(value) for name, value in (own | settings).items()}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRUEHUE_")}
    log = folder / "server.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *within,
            *(sys.executable, "-m", "signaling.cli", "run", "--json", *arguments),
            env=inherited | variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start:\n{log.read_text('utf-8', 'replace')}")
        printed = json.loads(line)
        yield RunningServer(printed["url"], process.pid, printed["links"], log)
    except BaseException:
        # Whoever reads of a failure here wants to know what the server had to say.
        sys.stderr.write(log.read_text("utf-8", "replace")[-20_000:])
        raise
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()
