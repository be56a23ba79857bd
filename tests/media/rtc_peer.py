"""A peer of the relay for tests: aiortc's own client over loopback, which never meets the relay's code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription

from media.aiortc_private import gathering_loopback
from media.interface import MediaConfig, MediaEvent, Negotiation, PublicationInfo, Source
from media.worker import MediaWorker

Value = TypeVar("Value")
LOOPBACK = MediaConfig(bind_host="127.0.0.1")
NATIVE = True
"""What the fixture `packet_path` sets."""


class Events:
    """Collects a worker's events, and waits for one."""

    def __init__(self, worker: MediaWorker) -> None:
        self.seen: list[MediaEvent] = []
        self._changed = asyncio.Event()
        worker.subscribe_events(self._note)

    def _note(self, event: MediaEvent) -> None:
        self.seen.append(event)
        self._changed.set()

    async def until(self, *wanted: MediaEvent) -> None:
        """Wait until every wanted event has been seen."""
        async with asyncio.timeout(20):
            while not all(event in self.seen for event in wanted):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def relay(config: MediaConfig = LOOPBACK) -> AsyncIterator[MediaWorker]:
    """A worker that is stopped in the end."""
    worker = await MediaWorker.start(replace(config, native=NATIVE))
    try:
        yield worker
    finally:
        await worker.stop()


class Peer:
    """One participant: a peer connection, negotiated with the relay as a page would."""

    def __init__(self, worker: MediaWorker, room_id: str, participant_id: str) -> None:
        self.worker = worker
        self.room_id = room_id
        self.participant_id = participant_id
        self.pc = RTCPeerConnection()
        self.tracks: asyncio.Queue[MediaStreamTrack] = asyncio.Queue()
        self.pc.on("track", self.tracks.put_nowait)
        self.sources: dict[RTCRtpTransceiver, Source] = {}
        self.wanted: dict[RTCRtpTransceiver, str] = {}

    def publish(self, track: MediaStreamTrack, source: Source) -> RTCRtpTransceiver:
        """Add a sendonly m-line."""
        transceiver = self.pc.addTransceiver(track, direction="sendonly")
        self.sources[transceiver] = source
        return transceiver

    def subscribe(self, publication: PublicationInfo) -> RTCRtpTransceiver:
        """Add a recvonly m-line."""
        transceiver = self.pc.addTransceiver(publication.kind.value, direction="recvonly")
        self.wanted[transceiver] = publication.publication_id
        return transceiver

    async def negotiate(self) -> Negotiation:
        """Offer what was added, and take the answer."""
        with gathering_loopback():
            await self.pc.setLocalDescription(await self.pc.createOffer())
        negotiation = await self.worker.negotiate(
            self.room_id,
            self.participant_id,
            self.pc.localDescription.sdp,
            self._by_mid(self.sources),
            self._by_mid(self.wanted),
        )
        await self.pc.setRemoteDescription(RTCSessionDescription(negotiation.sdp, "answer"))
        return negotiation

    @staticmethod
    def _by_mid(entries: Mapping[RTCRtpTransceiver, Value]) -> dict[str, Value]:
        return {str(transceiver.mid): value for transceiver, value in entries.items()}

    async def track(self, kind: str) -> MediaStreamTrack:
        """The next received track, which must be of this kind."""
        track = await asyncio.wait_for(self.tracks.get(), 20)
        assert track.kind == kind
        return track

    async def close(self) -> None:
        """End the connection, saying goodbye."""
        await self.pc.close()
