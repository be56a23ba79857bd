"""TrueHue's own relay in a process of its own: its native loop, or the same in pure Python."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.harness import Value
from bench.load.peer import Peer
from bench.relays.interface import CannotRun, OwnProcess


class TrueHue:
    """native: with the compiled loop; else without it, even where it is there."""

    alters_media = False

    def __init__(self, *, native: bool) -> None:
        self._native = native
        self._server = OwnProcess("bench.relays.truehue_server", {"TRUEHUE_NATIVE": "1" if native else "0"})
        self._publications: dict[int, list[str]] = {}
        self._viewers = 0

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._server.pid

    async def start(self, folder: Path, host: str) -> Mapping[str, Value]:
        """Start the worker. Raises CannotRun when the native loop is wanted and was not built."""
        told = await self._server.start(host)
        if self._native and not told["native"]:
            await self._server.stop()
            raise CannotRun("the native loop is not built")
        return {}

    async def publish(self, room: int, peer: Peer) -> None:
        """A camera and a microphone."""
        sources = {"0": "microphone", "1": "camera"}
        answer = await self.negotiate(room, f"publisher{room}", peer.offer_to_publish(), sources, {})
        self._publications[room] = answer["publications"]
        peer.accept(answer["sdp"])

    async def subscribe(self, room: int, peer: Peer) -> None:
        """Both of the room's Publications."""
        await self.subscribe_as(room, f"viewer{self._viewers}", peer)
        self._viewers += 1

    async def subscribe_as(self, room: int, participant: str, peer: Peer) -> None:
        """Both of the room's Publications, for a participant with a name."""
        wanted = dict(zip(("0", "1"), self._publications[room], strict=True))
        answer = await self.negotiate(room, participant, peer.offer_to_receive(), {}, wanted)
        peer.accept(answer["sdp"])

    async def negotiate(
        self,
        room: int,
        participant: str,
        offer: str,
        publications: Mapping[str, str],
        subscriptions: Mapping[str, str],
    ) -> dict[str, Any]:
        """One offer and its answer."""
        return await self._server.ask(
            do="negotiate",
            room=f"room{room}",
            participant=participant,
            sdp=offer,
            publications=publications,
            subscriptions=subscriptions,
        )

    async def leave(self, room: int, participant: str) -> None:
        """End a participant."""
        await self._server.ask(do="leave", room=f"room{room}", participant=participant)

    async def ask(self, what: str) -> dict[str, Any]:
        """A question without arguments, as "stats"."""
        return await self._server.ask(do=what)

    async def stop(self) -> None:
        """End the worker."""
        await self._server.stop()
