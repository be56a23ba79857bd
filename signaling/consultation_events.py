"""The events of the /consultation namespace: each decoded request to its use case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from records.interface import Records
from signaling import messages as m
from signaling.access import Act
from signaling.live import COMMANDS, Handler
from signaling.reading import CHAT_HISTORY_LINES
from signaling.room_capture import RoomCaptures
from signaling.room_doors import RoomDoors
from signaling.room_ports import Live
from signaling.room_quality import RoomQuality
from signaling.room_steps import actor_of
from signaling.room_viewers import RoomViewers
from signaling.rooms import Rooms
from signaling.views import chat_view, emphasis_from_wire


def consultation_events(
    rooms: Rooms,
    doors: RoomDoors,
    captures: RoomCaptures,
    quality: RoomQuality,
    viewers: RoomViewers,
    records: Records,
    live: Live,
    clock: Callable[[], datetime],
) -> Mapping[str, tuple[type[msgspec.Struct], Handler]]:
    """event -> (request type, handler)."""

    def command(name: str) -> Handler:
        async def handle(sid: str, request: Any) -> m.OkReply:
            target = getattr(request, "participant_id", None)
            await doors.command(sid, COMMANDS[name][1], target, getattr(request, "words", None) or None)
            return m.OkReply()

        return handle

    async def negotiate(sid: str, request: m.NegotiateRequest) -> m.NegotiateReply:
        negotiation = await doors.negotiate(
            sid,
            request.sdp,
            dict(request.publications),
            request.subscriptions,
            {mid: emphasis_from_wire(one) for mid, one in request.emphasis.items()},
        )
        ids = [publication.publication_id for publication in negotiation.publications]
        return m.NegotiateReply(negotiation.sdp, dict(zip(request.publications, ids, strict=True)))

    async def mute(sid: str, request: m.MuteRequest) -> m.OkReply:
        doors.mute(sid, request.publication_id, request.muted)
        return m.OkReply()

    async def camera_changed(sid: str, request: m.CameraChangedRequest) -> m.OkReply:
        doors.camera_changed(sid, request.publication_id)
        return m.OkReply()

    async def chat(sid: str, request: m.ChatRequest) -> m.OkReply:
        room, participant = rooms.check(sid, Act.CHAT)
        line = await records.add_chat_line(
            actor_of(room, participant), participant.participant_id, request.text, clock()
        )
        for participant_id in room.inside():
            await live.emit("chat", chat_view(line), room.sids[participant_id])
        return m.OkReply()

    async def chat_history(sid: str, request: m.ChatHistoryRequest) -> m.ChatHistoryView:
        room, participant = rooms.check(sid, Act.READ_CHAT)
        lines = await records.chat_lines_heard(
            actor_of(room, participant), participant.participant_id, CHAT_HISTORY_LINES, clock()
        )
        rooms.check(sid, Act.READ_CHAT)
        return m.ChatHistoryView([chat_view(line) for line in lines])

    async def capture(sid: str, request: m.CaptureRequest) -> m.CaptureView:
        return await captures.request(sid, request.participant_id)

    async def capture_progress(sid: str, request: m.CaptureProgressRequest) -> m.OkReply:
        captures.progress(sid, request.capture_id, request.state, request.sent_bytes, request.size_bytes)
        return m.OkReply()

    async def capture_failed(sid: str, request: m.CaptureFailedRequest) -> m.OkReply:
        await captures.device_failed(sid, request.capture_id, request.reason, request.held)
        return m.OkReply()

    async def statistics(sid: str, request: m.StatisticsRequest) -> m.StatisticsView:
        return quality.statistics(sid)

    async def patches(sid: str, request: m.PatchesRequest) -> m.OkReply:
        viewers.answered(sid, request)
        return m.OkReply()

    return {
        **{name: (kind, command(name)) for name, (kind, _) in COMMANDS.items()},
        "negotiate": (m.NegotiateRequest, negotiate),
        "mute": (m.MuteRequest, mute),
        "camera_changed": (m.CameraChangedRequest, camera_changed),
        "chat": (m.ChatRequest, chat),
        "chat_history": (m.ChatHistoryRequest, chat_history),
        "statistics": (m.StatisticsRequest, statistics),
        "patches": (m.PatchesRequest, patches),
        "capture": (m.CaptureRequest, capture),
        "capture_progress": (m.CaptureProgressRequest, capture_progress),
        "capture_failed": (m.CaptureFailedRequest, capture_failed),
    }
