"""Janus as Debian packages it, with its videoroom: asked over its WebSocket interface.

Its configuration is the package's, but for: everything kept in a folder of the run, ICE-lite (as for a
server with a public address, and as TrueHue does), the one plugin and the one transport that are used, no
time-out of idle sessions. A room lets a publisher send 2.5 Mbit/s, as TrueHue does.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from bench.harness import Value
from bench.load.peer import Peer
from bench.relays.interface import ANSWER_S, CannotRun, ended, free_port

_LIBRARIES = Path("/usr/lib")
_MAX_VIDEO_BPS = 2_500_000


def install() -> None:
    """Install Debian's package where that can be done without asking; start no service."""
    if shutil.which("janus") or not shutil.which("apt-get") or os.geteuid() != 0:
        return
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (("update", "-q"), ("install", "-q", "-y", "--no-install-recommends", "janus")):
        subprocess.run(["apt-get", *words], env=variables, capture_output=True, check=False)


class Janus:
    """One Janus process and one session with it."""

    alters_media = False

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._http: aiohttp.ClientSession
        self._socket: aiohttp.ClientWebSocketResponse
        self._reading: asyncio.Task[None]
        self._session_id = 0
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._feeds: dict[int, int] = {}

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    async def start(self, folder: Path, host: str) -> Mapping[str, Value]:
        """Start it. Raises CannotRun where it is not installed."""
        program = shutil.which("janus")
        if program is None:
            raise CannotRun("Janus is not installed (Debian: apt-get install janus)")
        port = free_port()
        _write_configuration(folder, host, port)
        self._process = await asyncio.create_subprocess_exec(
            program,
            *(f"--configs-folder={folder}", f"--config={folder / 'janus.jcfg'}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(folder / "janus.log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )
        self._http = aiohttp.ClientSession()
        self._socket = await self._open(f"http://127.0.0.1:{port}")
        self._reading = asyncio.create_task(self._read())
        info = await self._ask(janus="info")
        self._session_id = (await self._ask(janus="create"))["data"]["id"]
        return {"janus": str(info["version_string"])}

    async def _open(self, url: str) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(ANSWER_S):
            while True:
                if self._process.returncode is not None:
                    raise CannotRun("Janus ended at once")
                try:
                    return await self._http.ws_connect(url, protocols=["janus-protocol"])
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)

    async def publish(self, room: int, peer: Peer) -> None:
        """Make the room and a handle that publishes."""
        handle = await self._attach()
        settings: dict[str, Any] = {
            "request": "create",
            "room": room + 1,
            "publishers": 6,
            "bitrate": _MAX_VIDEO_BPS,
            "audiocodec": "opus",
            "videocodec": "vp8",
        }
        await self._ask(janus="message", handle_id=handle, body=settings)
        join = {"request": "join", "ptype": "publisher", "room": room + 1}
        joined = await self._ask(janus="message", handle_id=handle, body=join)
        self._feeds[room] = joined["plugindata"]["data"]["id"]
        answer = await self._ask(
            janus="message",
            handle_id=handle,
            body={"request": "publish"},
            jsep={"type": "offer", "sdp": peer.offer_to_publish()},
        )
        peer.accept(answer["jsep"]["sdp"])

    async def subscribe(self, room: int, peer: Peer) -> None:
        """A handle that receives the room's publisher; Janus makes the offer."""
        handle = await self._attach()
        join = {
            "request": "join",
            "ptype": "subscriber",
            "room": room + 1,
            "streams": [{"feed": self._feeds[room]}],
        }
        offered = await self._ask(janus="message", handle_id=handle, body=join)
        answer = peer.answer(offered["jsep"]["sdp"])
        await self._ask(
            janus="message",
            handle_id=handle,
            body={"request": "start"},
            jsep={"type": "answer", "sdp": answer},
        )

    async def stop(self) -> None:
        """End it."""
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        await self._socket.close()
        await self._http.close()
        await ended(self._process)

    async def _attach(self) -> int:
        attached = await self._ask(janus="attach", plugin="janus.plugin.videoroom")
        return int(attached["data"]["id"])

    async def _ask(self, **request: Any) -> dict[str, Any]:
        """Send a request; the reply, or the plugin's event that follows its acknowledgement."""
        transaction = secrets.token_hex(8)
        message: dict[str, Any] = {"transaction": transaction, **request}
        if self._session_id:
            message["session_id"] = self._session_id
        waiting = self._waiting[transaction] = asyncio.get_running_loop().create_future()
        await self._socket.send_json(message)
        reply: dict[str, Any] = await asyncio.wait_for(waiting, ANSWER_S)
        data = reply.get("plugindata", {}).get("data", {})
        if reply["janus"] == "error" or "error" in data:
            raise RuntimeError(f"Janus refused: {reply.get('error') or data['error']}")
        return reply

    async def _read(self) -> None:
        async for message in self._socket:
            received = message.json()
            if received["janus"] == "ack":
                continue
            waiting = self._waiting.pop(received.get("transaction", ""), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(received)


def _write_configuration(folder: Path, host: str, port: int) -> None:
    libraries = next(_LIBRARIES.glob("*/janus"))
    (folder / "janus.jcfg").write_text(
        f"""general: {{
    configs_folder = "{folder}"
    plugins_folder = "{libraries / "plugins"}"
    transports_folder = "{libraries / "transports"}"
    events_folder = "{libraries / "events"}"
    loggers_folder = "{libraries / "loggers"}"
    debug_level = 4
    session_timeout = 0
    interface = "{host}"
}}
nat: {{
    ice_lite = true
    ice_enforce_list = "{host}"
}}
plugins: {{
    disable = "{",".join(_others(libraries / "plugins", "videoroom"))}"
}}
transports: {{
    disable = "{",".join(_others(libraries / "transports", "websockets"))}"
}}
""",
        encoding="utf-8",
    )
    (folder / "janus.transport.websockets.jcfg").write_text(
        f"""general: {{
    json = "compact"
    ws = true
    ws_port = {port}
    ws_ip = "127.0.0.1"
    wss = false
}}
""",
        encoding="utf-8",
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text("general: {\n}\n", encoding="utf-8")


def _others(folder: Path, kept: str) -> list[str]:
    return [path.name for path in folder.glob("*.so") if kept not in path.name]
