"""aiortc as a relay, the way its documentation shows: MediaRelay hands decoded frames on, every viewer's
sender encodes them again."""

from __future__ import annotations

import sys
from typing import Any

import uvloop
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from bench.relays.control import serve
from media.aiortc_private import set_vp8_bitrates


async def run(bitrate_bps: int) -> None:
    """Serve; encoders may spend bitrate_bps, which is what the load's publisher sends."""
    set_vp8_bitrates(bitrate_bps, bitrate_bps)
    relay = MediaRelay()
    tracks: dict[int, list[MediaStreamTrack]] = {}
    connections: list[RTCPeerConnection] = []

    async def handle(request: dict[str, Any]) -> dict[str, Any]:
        connection = RTCPeerConnection()
        connections.append(connection)
        room = int(request["room"])
        if request["do"] == "publish":
            tracks[room] = []
            connection.on("track", tracks[room].append)
        else:
            for track in tracks[room]:
                connection.addTrack(relay.subscribe(track))
        await connection.setRemoteDescription(RTCSessionDescription(request["sdp"], "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return {"sdp": connection.localDescription.sdp}

    await serve({}, handle)
    for connection in connections:
        await connection.close()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1])))
