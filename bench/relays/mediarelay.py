"""aiortc's MediaRelay, which decodes and encodes again: what most Python projects begin with."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from bench.harness import Value
from bench.load.peer import Peer
from bench.load.trace import VIDEO_BPS
from bench.relays.interface import OwnProcess


class AiortcMediaRelay:
    """One process with a peer connection for every participant."""

    alters_media = True

    def __init__(self) -> None:
        self._server = OwnProcess("bench.relays.mediarelay_server")

    @property
    def pid(self) -> int:
        """Its process."""
        return self._server.pid

    async def start(self, folder: Path, host: str) -> Mapping[str, Value]:
        """Start it; it finds the address of this host by itself."""
        await self._server.start(str(VIDEO_BPS))
        return {"aiortc": metadata.version("aiortc")}

    async def publish(self, room: int, peer: Peer) -> None:
        """An offer and its answer."""
        answer = await self._server.ask(do="publish", room=room, sdp=peer.offer_to_publish())
        peer.accept(answer["sdp"])

    async def subscribe(self, room: int, peer: Peer) -> None:
        """An offer and its answer."""
        answer = await self._server.ask(do="subscribe", room=room, sdp=peer.offer_to_receive())
        peer.accept(answer["sdp"])

    async def stop(self) -> None:
        """End it."""
        await self._server.stop()
