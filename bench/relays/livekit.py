"""LiveKit's server, built from its Go module: asked over its WebSocket interface, in JSON.

One UDP port for all participants and ICE-lite, as TrueHue does it; everything else as it comes. The version
is the newest that `go install` takes: later ones replace modules, which it refuses.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from bench.harness import Value
from bench.load.peer import Peer
from bench.relays.interface import ANSWER_S, CannotRun, ended, free_port

MODULE = "github.com/livekit/livekit-server/cmd/server"
VERSION = "v1.9.12"
PROGRAM = Path(__file__).resolve().parents[2] / ".venv" / "bench" / f"livekit-{VERSION}" / "server"
PING_S = 5.0
_KEY, _SECRET = "load", secrets.token_hex(32)


def install() -> None:
    """Build it where a Go toolchain is at hand; the first time takes minutes. `start` tells of a failure."""
    go = shutil.which("go")
    if PROGRAM.exists() or go is None:
        return
    print(f"building LiveKit {VERSION} once ...", flush=True)
    variables = {**os.environ, "GOBIN": str(PROGRAM.parent)}
    subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=variables, capture_output=True, check=False)


class LiveKit:
    """One server, and a WebSocket for every participant."""

    alters_media = False

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._http: aiohttp.ClientSession
        self._port = 0
        self._participants: list[_Participant] = []
        self._tracks: dict[int, list[str]] = {}

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    async def start(self, folder: Path, host: str) -> Mapping[str, Value]:
        """Start it. Raises CannotRun where it was not built."""
        if not PROGRAM.exists():
            why = "could not be built" if shutil.which("go") else "needs a Go toolchain, and there is none"
            raise CannotRun(f"LiveKit {VERSION} {why} (go install {MODULE}@{VERSION})")
        self._port = free_port()
        settings = {
            "port": self._port,
            "bind_addresses": ["127.0.0.1"],
            "keys": {_KEY: _SECRET},
            "logging": {"level": "error"},
            "rtc": {"udp_port": free_port(), "tcp_port": 0, "node_ip": host, "use_ice_lite": True},
        }
        (folder / "livekit.yaml").write_text(json.dumps(settings), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *("--config", folder / "livekit.yaml"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(folder / "livekit.log").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )
        self._http = aiohttp.ClientSession()
        async with asyncio.timeout(ANSWER_S):
            while True:
                if self._process.returncode is not None:
                    raise CannotRun(
                        f"LiveKit ended at once: {(folder / 'livekit.log').read_text('utf-8')[-400:]}"
                    )
                with suppress(aiohttp.ClientError):
                    async with self._http.get(f"http://127.0.0.1:{self._port}/"):
                        break
                await asyncio.sleep(0.05)
        return {"livekit": VERSION}

    async def publish(self, room: int, peer: Peer) -> None:
        """Announce both tracks, then offer them."""
        participant = await self._join(room, peer)
        offer = peer.offer_to_publish()
        tracks = []
        for kind, source in (("audio", "MICROPHONE"), ("video", "CAMERA")):
            track = {"cid": kind, "type": kind.upper(), "source": source, "width": 1280, "height": 720}
            added = await participant.ask("trackPublished", addTrack=track)
            tracks.append(added["track"]["sid"])
        answer = await participant.ask("answer", offer={"type": "offer", "sdp": offer})
        peer.accept(answer["sdp"])
        self._tracks[room] = tracks

    async def subscribe(self, room: int, peer: Peer) -> None:
        """Ask for both tracks; the server makes the offers."""
        participant = await self._join(room, peer)
        await participant.send(subscription={"trackSids": self._tracks[room], "subscribe": True})
        await asyncio.wait_for(participant.answered_both.wait(), ANSWER_S)

    async def stop(self) -> None:
        """End it."""
        for participant in self._participants:
            await participant.close()
        await self._http.close()
        await ended(self._process)

    async def _join(self, room: int, peer: Peer) -> _Participant:
        token = _token(f"room{room}", f"participant{len(self._participants)}")
        url = f"http://127.0.0.1:{self._port}/rtc?access_token={token}&auto_subscribe=0&protocol=9&sdk=js"
        participant = _Participant(await self._http.ws_connect(url), peer)
        self._participants.append(participant)
        await participant.ask("pong", ping=int(time.time() * 1000))
        return participant


class _Participant:
    """One participant's conversation with the server."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, peer: Peer) -> None:
        self.answered_both = asyncio.Event()
        self._socket = socket
        self._peer = peer
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())
        self._pinging = asyncio.create_task(self._ping())

    async def ask(self, answered_by: str, **request: object) -> Any:
        """Send a request, and wait for the answer that has this name."""
        waiting = self._waiting[answered_by] = asyncio.get_running_loop().create_future()
        await self.send(**request)
        return await asyncio.wait_for(waiting, ANSWER_S)

    async def send(self, **request: object) -> None:
        """Send a request."""
        await self._socket.send_str(json.dumps(request))

    async def close(self) -> None:
        """Leave."""
        for task in (self._reading, self._pinging):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._socket.close()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_S)
            await self.send(ping=int(time.time() * 1000))

    async def _read(self) -> None:
        """The server speaks protocol buffers until it has read JSON."""
        async for message in self._socket:
            text = message.type is aiohttp.WSMsgType.TEXT
            for name, value in (json.loads(message.data) if text else _read_binary(message.data)).items():
                if name == "offer":
                    answer = self._peer.answer(value["sdp"])
                    await self.send(answer={"type": "answer", "sdp": answer, "id": value.get("id", 0)})
                    if "m=audio" in answer and "m=video" in answer:
                        self.answered_both.set()
                elif name == "trickle":
                    self._peer.add_candidate(json.loads(value["candidateInit"])["candidate"])
                waiting = self._waiting.pop(name, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(value)


def _read_binary(data: bytes) -> dict[str, dict[str, Any]]:
    """An offer or a candidate in SignalResponse's binary form (livekit_rtc.proto); others are passed over."""
    response = dict(_fields(data))
    if isinstance(offer := response.get(3), bytes):
        description = dict(_fields(offer))
        sdp = description[2]
        return {"offer": {"sdp": sdp.decode() if isinstance(sdp, bytes) else "", "id": description.get(3, 0)}}
    if isinstance(trickle := response.get(4), bytes) and isinstance(init := dict(_fields(trickle))[1], bytes):
        return {"trickle": {"candidateInit": init.decode()}}
    return {}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and value of each field of a message: varints, and what has a length."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 2:
            length = varint()
            yield key >> 3, data[at : at + length]
            at += length
        else:
            at += 8 if key & 7 == 1 else 4


def _token(room: str, identity: str) -> str:
    """A JSON web token (RFC 7519, HS256) that lets a participant publish and subscribe."""
    grant = {"roomJoin": True, "room": room, "canPublish": True, "canSubscribe": True}
    claims = {"iss": _KEY, "sub": identity, "nbf": 0, "exp": int(time.time()) + 3600, "video": grant}
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signature = hmac.digest(_SECRET.encode(), b".".join(parts), hashlib.sha256)
    return b".".join([*parts, _base64(signature)]).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
