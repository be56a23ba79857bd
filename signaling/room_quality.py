"""How good the live media of a room are: whether the picture is diagnostic, how far a path made the relay
give way, what publishers are to send, and the numbers behind all that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import structlog

from media.interface import (
    AdaptationLevel,
    BudgetChanged,
    Fidelity,
    MediaEvent,
    PathStats,
    PublicationInfo,
    PublicationStats,
    Relay,
    SubscriptionStats,
)
from signaling.access import Act
from signaling.background import Background
from signaling.bus import Change
from signaling.messages import (
    AdaptationName,
    BudgetEvent,
    FidelityView,
    PathStatistics,
    PublicationStatistics,
    StatisticsView,
    SubscriptionStatistics,
)
from signaling.room import Room
from signaling.room_ports import Live
from signaling.rooms import Rooms

log = structlog.get_logger()

STEP = 0.05
"""Steps of the contrast kept that viewers are told: every change of it pushes the room's state."""
ADAPTATIONS: dict[AdaptationLevel, AdaptationName] = {
    AdaptationLevel.FULL: "full",
    AdaptationLevel.OWN_PICTURE_SMALLER: "own_picture_smaller",
    AdaptationLevel.FEWER_FRAMES: "fewer_frames",
    AdaptationLevel.STILL_PROMPT: "still_prompt",
    AdaptationLevel.AUDIO_ONLY: "audio_only",
}


def fidelity_view(publication_id: str, fidelity: Fidelity) -> FidelityView:
    """A verdict for those in the room."""
    kept = fidelity.contrast_kept
    return FidelityView(
        publication_id,
        fidelity.purpose.value,
        [reason.value for reason in fidelity.reasons],
        round(round(kept / STEP) * STEP, 2) if kept is not None else None,
    )


def publication_statistics(info: PublicationInfo, stats: PublicationStats) -> PublicationStatistics:
    """A Publication for those who look after the call."""
    return PublicationStatistics(
        publication_id=info.publication_id,
        participant_id=info.participant_id,
        source=info.source.value,
        codec=info.codec,
        bitrate_bps=stats.bitrate_bps,
        frame_rate=stats.frame_rate,
        width_px=stats.width_px,
        height_px=stats.height_px,
        quantiser=stats.native_quantiser,
        packets_received=stats.packets_received,
        packets_lost=stats.packets_lost,
    )


def subscription_statistics(participant_id: str, stats: SubscriptionStats) -> SubscriptionStatistics:
    """What a participant receives, for those who look after the call."""
    return SubscriptionStatistics(
        participant_id=participant_id,
        publication_id=stats.publication_id,
        bitrate_bps=stats.bitrate_bps,
        frame_rate=stats.frame_rate,
        width_px=stats.width_px,
        height_px=stats.height_px,
        spatial=stats.spatial,
        encodings=stats.encodings,
        max_temporal=stats.max_temporal,
        paused=stats.paused,
        loss=stats.loss,
        packets_lost=stats.packets_lost,
        jitter_ms=stats.jitter_ms,
        freeze_count=stats.freeze_count,
        frozen_s=stats.frozen_s,
    )


def path_statistics(participant_id: str, path: PathStats) -> PathStatistics:
    """A path for those who look after the call."""
    return PathStatistics(
        participant_id=participant_id,
        estimate_bps=path.estimate_bps,
        sent_bps=path.sent_bps,
        loss=path.loss,
        rtt_ms=path.rtt_ms,
        queue_delay_ms=path.queue_delay_ms,
        packets_dropped=path.packets_dropped,
        adaptation=ADAPTATIONS[path.level],
    )


class RoomQuality:
    """Follows the rooms."""

    def __init__(self, rooms: Rooms, relay: Relay, live: Live) -> None:
        self._rooms = rooms
        self._relay = relay
        self._live = live
        self._background = Background("quality")
        relay.subscribe_events(self._on_media_event)

    def room_changed(self, room: Room) -> None:
        """A camera that has gone is no longer spoken of."""
        if room.fidelity is not None and room.fidelity.publication_id != room.camera_to_calibrate():
            room.fidelity = None

    async def tick(self, room: Room, now: datetime) -> None:
        """Ask the relay, and tell when something has changed."""
        fidelity, adaptations = self._fidelity(room), self._adaptations(room)
        if (fidelity, adaptations) == (room.fidelity, room.adaptations):
            return
        if fidelity is not None and (room.fidelity is None or room.fidelity.purpose != fidelity.purpose):
            log.info(
                "picture_fidelity",
                consultation_id=room.consultation_id,
                purpose=fidelity.purpose,
                reasons=fidelity.reasons,
            )
        room.fidelity, room.adaptations = fidelity, adaptations
        self._rooms.changed(room)

    def _fidelity(self, room: Room) -> FidelityView | None:
        camera = room.camera_to_calibrate()
        if camera is None or camera in room.muted:
            return None
        fidelity = self._relay.fidelity(camera)
        return fidelity_view(camera, fidelity) if fidelity is not None else None

    def _adaptations(self, room: Room) -> dict[str, AdaptationName]:
        return {one: ADAPTATIONS[path.level] for one, path in self._paths(room)}

    def _paths(self, room: Room) -> Iterator[tuple[str, PathStats]]:
        """Of everybody inside who has one."""
        for one in room.inside():
            path = self._relay.path_stats(room.consultation_id, one)
            if path is not None:
                yield one, path

    def _on_media_event(self, event: MediaEvent) -> None:
        if isinstance(event, BudgetChanged):
            self._background.spawn(self._tell_budget(event))

    async def _tell_budget(self, event: BudgetChanged) -> None:
        room = self._rooms.room(event.room_id)
        sid = room.sids.get(event.participant_id) if room is not None else None
        if sid is not None:
            budget = BudgetEvent(event.publication_id, event.bitrate_bps, event.max_framerate)
            await self._live.emit("budget", budget, sid)

    def statistics(self, sid: str) -> StatisticsView:
        """How media flow in the room of a connection. Raises Refusal."""
        room, _ = self._rooms.check(sid, Act.READ_STATISTICS)
        publications = [
            publication_statistics(info, stats)
            for info in room.publications.values()
            if (stats := self._relay.publication_stats(info.publication_id)) is not None
        ]
        subscriptions = [
            subscription_statistics(one, stats)
            for one in room.inside()
            for stats in self._relay.subscription_stats(room.consultation_id, one)
        ]
        paths = [path_statistics(one, path) for one, path in self._paths(room)]
        return StatisticsView(publications, subscriptions, paths)

    def room_closed(self, room: Room) -> None:
        """Nothing is kept outside the room."""

    def snapshot_stored(self, room: Room, change: Change) -> None:
        """A still has a quality of its own."""

    async def stop(self) -> None:
        """Tell nobody any more."""
        await self._background.stop()
