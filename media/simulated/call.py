"""The call of a simulated phone: one peer connection that sends its tracks and takes what others send."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
    RTCSessionDescription,
)

from media.aiortc_private import allow_loopback_candidates, count_instead_of_decoding
from media.interface import ChromaEmphasis
from media.simulated.wire import IceServer, Negotiated, RoomPublication

Negotiate = Callable[[str, dict[str, str], dict[str, str], dict[str, ChromaEmphasis]], Awaitable[Negotiated]]
"""(SDP offer, mid -> source, mid -> publication_id, mid -> emphasis) to the relay's answer."""


class Call:
    """Sends the given tracks, and stops them in the end; always offers, as every participant does.

    Made anew when it has failed.
    """

    def __init__(
        self,
        tracks: Mapping[str, MediaStreamTrack],
        ice_servers: Sequence[IceServer],
        negotiate: Negotiate,
        state_changed: Callable[[], None],
        loopback: bool,
        emphasis: ChromaEmphasis | None = None,
    ) -> None:
        """tracks: by source. loopback: the relay may be on this host, and the host without a network.

        state_changed: called when `connected` or `failed` may have changed, or the first packet of a
        publication has come. emphasis: how the camera's track has stretched its chroma, for as long as this
        call lives."""
        self.emphasis = emphasis
        servers = [
            RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
            for server in ice_servers
        ]
        # An empty list, not None: aiortc would ask a STUN server of its own choice.
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        self._connection.on("connectionstatechange", state_changed)
        self._negotiate = negotiate
        self._state_changed = state_changed
        self._loopback = loopback
        self._tracks = list(tracks.values())
        self._sending = {
            source: self._connection.addTransceiver(track, direction="sendonly")
            for source, track in tracks.items()
        }
        self._receiving: dict[RTCRtpTransceiver, str | None] = {}
        self._agreed: frozenset[str] | None = None
        self._lock = asyncio.Lock()
        self.received_bytes: dict[str, int] = {}
        """Payload bytes by publication_id; received media is counted and thrown away."""

    @property
    def connected(self) -> bool:
        """ICE and DTLS are done."""
        return self._connection.connectionState == "connected"

    @property
    def failed(self) -> bool:
        """Nothing will come of this connection any more."""
        return self._connection.connectionState in ("failed", "closed")

    async def subscribe(self, publications: Sequence[RoomPublication]) -> None:
        """Negotiate, unless these publications are what was agreed last."""
        async with self._lock:
            wanted = {p.publication_id: p.kind for p in publications}
            if self._agreed == frozenset(wanted):
                return
            self._assign(wanted)
            with allow_loopback_candidates() if self._loopback else contextlib.nullcontext():
                await self._connection.setLocalDescription(await self._connection.createOffer())
            answer = await self._negotiate(
                self._connection.localDescription.sdp,
                {_mid(transceiver): source for source, transceiver in self._sending.items()},
                {_mid(t): publication_id for t, publication_id in self._receiving.items() if publication_id},
                {
                    _mid(transceiver): self.emphasis
                    for source, transceiver in self._sending.items()
                    if source == "camera" and self.emphasis is not None
                },
            )
            await self._connection.setRemoteDescription(RTCSessionDescription(answer.sdp, "answer"))
            self._agreed = frozenset(wanted)

    async def close(self) -> None:
        """End the connection and its tracks."""
        await self._connection.close()
        for track in self._tracks:
            track.stop()

    def _assign(self, wanted: Mapping[str, str]) -> None:
        """Give each wanted publication an m-line of its own; one that is no longer wanted stays silent."""
        for transceiver, publication_id in self._receiving.items():
            if publication_id not in wanted:
                self._receiving[transceiver] = None
        for publication_id, kind in wanted.items():
            if publication_id in self._receiving.values():
                continue
            transceiver = self._connection.addTransceiver(kind, direction="recvonly")
            count_instead_of_decoding(transceiver.receiver, partial(self._count, transceiver))
            self._receiving[transceiver] = publication_id

    def _count(self, transceiver: RTCRtpTransceiver, size_bytes: int) -> None:
        publication_id = self._receiving.get(transceiver)
        if publication_id is not None:
            if publication_id not in self.received_bytes:
                self._state_changed()
            self.received_bytes[publication_id] = self.received_bytes.get(publication_id, 0) + size_bytes


def _mid(transceiver: RTCRtpTransceiver) -> str:
    return str(transceiver.mid)
