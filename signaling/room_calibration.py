"""Calibrations in the live rooms: taps the camera on the skin while somebody looks, and measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from media.interface import Relay, TappedFrame, UnknownPublication
from signaling.background import Background
from signaling.bus import Change
from signaling.calibrating import measured, other_camera, sent, to_send
from signaling.color_jobs import ColorFunctions, Following, measure, warm_up
from signaling.color_workers import ColorWorkers
from signaling.room import Room
from signaling.room_viewers import RoomViewers
from signaling.rooms import Rooms

log = structlog.get_logger()


@dataclass(slots=True)
class _Watch:
    """The tap of one room."""

    publication_id: str
    stop: Callable[[], None]
    cameras: int
    """How often another camera had taken over when it was last looked at."""
    busy: bool = False
    following: Following = field(default_factory=Following)


class RoomCalibrations:
    """Follows the rooms; at most one frame of a room is being measured."""

    def __init__(
        self,
        rooms: Rooms,
        relay: Relay,
        workers: ColorWorkers,
        functions: ColorFunctions,
        viewers: RoomViewers,
        clock: Callable[[], datetime],
    ) -> None:
        self._rooms = rooms
        self._relay = relay
        self._workers = workers
        self._functions = functions
        self._viewers = viewers
        self._clock = clock
        self._watches: dict[str, _Watch] = {}
        self._background = Background("calibrations")

    def room_changed(self, room: Room) -> None:
        """Tap the right camera, or none; late viewers get the LUT that there is."""
        camera = room.camera_to_calibrate()
        watch = self._watches.get(room.consultation_id)
        if watch is not None and watch.publication_id != camera:
            watch.stop()
            del self._watches[room.consultation_id]
            watch = None
        if camera is not None and watch is None:
            self._watch(room, camera)
        elif watch is not None and watch.cameras != room.camera_changes[watch.publication_id]:
            self._start_afresh(room, watch)
        if room.calibration is not None and room.calibration.publication_id not in room.publications:
            room.calibration = None
            self._viewers.forget(room)
        self._viewers.follow(room)

    def _watch(self, room: Room, publication_id: str) -> None:
        if not self._watches:
            self._background.spawn(self._warm_up())
        watch = _Watch(publication_id, lambda: None, room.camera_changes[publication_id])
        try:
            watch.stop = self._relay.watch(publication_id, lambda frame: self._on_frame(room, watch, frame))
        except UnknownPublication:
            return
        self._watches[room.consultation_id] = watch

    def _start_afresh(self, room: Room, watch: _Watch) -> None:
        """Another camera: nothing that was known of the one before holds."""
        watch.cameras = room.camera_changes[watch.publication_id]
        watch.following = Following()
        if room.calibration is not None and room.calibration.publication_id == watch.publication_id:
            room.calibration = other_camera(room.calibration)

    async def _warm_up(self) -> None:
        await self._workers.run(warm_up, self._functions)

    def _on_frame(self, room: Room, watch: _Watch, frame: TappedFrame) -> None:
        if not watch.busy and self._watches.get(room.consultation_id) is watch:
            watch.busy = True
            self._background.spawn(self._measure(room, watch, frame))

    async def _measure(self, room: Room, watch: _Watch, frame: TappedFrame) -> None:
        cameras = watch.cameras
        try:
            outcome, following = await self._workers.run(
                measure, self._functions, frame.rgb, watch.following, frame.received_at_s, frame.stated
            )
        finally:
            watch.busy = False
        if self._watches.get(room.consultation_id) is not watch or watch.cameras != cameras:
            return
        watch.following = following
        before = room.calibration
        now = self._clock()
        room.calibration = measured(before, watch.publication_id, outcome, now, following.changed)
        if room.calibration is not None and to_send(room.calibration, now):
            room.calibration = sent(room.calibration, now)
            self._viewers.outdated(room)
        self._viewers.measured(room, watch.publication_id, outcome, following.shown)
        if room.calibration != before:
            self._rooms.changed(room)

    async def tick(self, room: Room, now: datetime) -> None:
        """Frames set the pace."""

    def snapshot_stored(self, room: Room, change: Change) -> None:
        """A still is calibrated by the chart in itself, never by the video's."""

    def room_closed(self, room: Room) -> None:
        """Look no more."""
        watch = self._watches.pop(room.consultation_id, None)
        if watch is not None:
            watch.stop()
        self._viewers.forget(room)

    async def stop(self) -> None:
        """End the taps and what is being measured."""
        for watch in self._watches.values():
            watch.stop()
        self._watches.clear()
        await self._background.stop()
        await self._viewers.stop()
