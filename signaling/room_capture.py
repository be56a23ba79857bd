"""Captures in the live rooms: asks the device, yields bandwidth to the still, or keeps the best frame."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import structlog

from media.interface import Relay, TappedFrame, UnknownPublication
from records.interface import Participant, RecordError, Records
from signaling import capture as machine
from signaling.access import Act
from signaling.background import Background
from signaling.bus import Change
from signaling.capture import Capture
from signaling.errors import Refusal
from signaling.identity import new_token
from signaling.messages import CaptureTake, CaptureView, SnapshotEvent
from signaling.room import Room, capture_view
from signaling.room_ports import Live
from signaling.room_steps import actor_of
from signaling.rooms import Rooms
from signaling.stills import Stills
from signaling.views import snapshot_view

log = structlog.get_logger()

YIELDED_BPS = 300_000
"""What video may take while a still goes up."""


class RoomCaptures:
    """Follows the rooms; runs capture.py's machine."""

    def __init__(
        self,
        rooms: Rooms,
        relay: Relay,
        records: Records,
        stills: Stills,
        live: Live,
        clock: Callable[[], datetime],
    ) -> None:
        self._rooms = rooms
        self._relay = relay
        self._records = records
        self._stills = stills
        self._live = live
        self._clock = clock
        self._asked_by: dict[str, Participant] = {}
        self._watches: dict[str, Callable[[], None]] = {}
        self._capped: dict[str, str] = {}
        self._keeping: set[str] = set()
        self._background = Background("captures")

    async def request(self, sid: str, participant_id: str) -> CaptureView:
        """The specialist asks for a still. Raises Refusal."""
        room, by = self._rooms.check(sid, Act.CAPTURE)
        target = room.participants.get(participant_id)
        if target is None or not room.is_admitted(participant_id):
            raise Refusal("admission.not_admitted" if target else "admission.unknown_participant")
        device_sid = room.sids.get(participant_id)
        if device_sid is None:
            raise Refusal("capture.not_present")
        asked = machine.request(room.capture, new_token()[:22], participant_id, self._clock())
        self._asked_by[room.consultation_id] = by
        camera = room.camera_of(participant_id)
        self._unwatch(room)
        if camera is not None:
            # The tap must run for there to be a best frame, should the device fail.
            with contextlib.suppress(UnknownPublication):
                self._watches[room.consultation_id] = self._relay.watch(camera, _look_away)
        self._set(room, asked)
        await self._live.emit("capture_take", CaptureTake(asked.capture_id, room.consultation_id), device_sid)
        log.info("capture_requested", consultation_id=room.consultation_id, capture_id=asked.capture_id)
        return capture_view(asked, room.sids)

    def progress(
        self,
        sid: str,
        capture_id: str,
        state: Literal["taking", "uploading"],
        sent_bytes: int,
        size_bytes: int | None,
    ) -> None:
        """The device says what it does. Raises Refusal."""
        room, one = self._rooms.check(sid, Act.ANSWER_CAPTURE)
        self._set(
            room,
            machine.progress(
                room.capture, capture_id, one.participant_id, state, sent_bytes, size_bytes, self._clock()
            ),
        )

    async def device_failed(self, sid: str, capture_id: str, reason: str, held: bool) -> None:
        """The device cannot; a frame is kept. Raises Refusal."""
        room, one = self._rooms.check(sid, Act.ANSWER_CAPTURE)
        self._set(
            room,
            machine.device_failed(room.capture, capture_id, one.participant_id, reason, held, self._clock()),
        )
        self._keep_frame(room)

    def room_changed(self, room: Room) -> None:
        """Nothing to follow: a device that went away is silent, and time tells."""

    async def tick(self, room: Room, now: datetime) -> None:
        """Silence and waiting end."""
        if room.capture is not None and room.capture.state not in machine.OVER:
            self._set(room, machine.tick(room.capture, now))
            self._keep_frame(room)

    def snapshot_stored(self, room: Room, change: Change) -> None:
        """Tell staff in the room; the capture it belongs to is done."""
        if room.capture is not None and room.capture.capture_id == change.capture_id:
            done = machine.frame_kept if change.video_frame else machine.stored
            self._set(room, done(room.capture, change.snapshot_id))
        if room.staff_inside():
            self._background.spawn(self._tell_staff(room, change.snapshot_id))

    async def _tell_staff(self, room: Room, snapshot_id: str) -> None:
        """Whoever is told reads the record, so each is in the audit."""
        for participant_id in room.staff_inside():
            actor = actor_of(room, room.participants[participant_id])
            snapshot = await self._records.snapshot(actor, snapshot_id, self._clock())
            sid = room.sids.get(participant_id)
            if sid is not None and room.is_admitted(participant_id):
                await self._live.emit("snapshot", SnapshotEvent(snapshot_view(snapshot)), sid)

    def _set(self, room: Room, capture: Capture) -> None:
        if capture == room.capture:
            return
        room.capture = capture
        self._yield_bandwidth(room, capture)
        if capture.state in machine.OVER:
            self._unwatch(room)
        self._rooms.changed(room)

    def _yield_bandwidth(self, room: Room, capture: Capture) -> None:
        """While the still goes up, its sender's video takes less."""
        capped = self._capped.get(room.consultation_id)
        if capture.state == "uploading" and capped is None:
            camera = room.camera_of(capture.participant_id)
            if camera is not None:
                self._relay.set_cap(camera, YIELDED_BPS)
                self._capped[room.consultation_id] = camera
        elif not capture.with_device and capped is not None:
            self._uncap(room)

    def _uncap(self, room: Room) -> None:
        camera = self._capped.pop(room.consultation_id, None)
        if camera is not None:
            self._relay.set_cap(camera, None)

    def _unwatch(self, room: Room) -> None:
        stop = self._watches.pop(room.consultation_id, None)
        if stop is not None:
            stop()

    def _keep_frame(self, room: Room) -> None:
        capture = room.capture
        if capture is None or not capture.wants_frame or capture.capture_id in self._keeping:
            return
        camera = room.camera_of(capture.participant_id)
        frame = self._relay.best_frame(camera) if camera is not None else None
        if frame is not None:
            self._keeping.add(capture.capture_id)
            self._background.spawn(self._store_frame(room, capture, frame))

    async def _store_frame(self, room: Room, capture: Capture, frame: TappedFrame) -> None:
        actor = actor_of(room, self._asked_by[room.consultation_id])
        try:
            await self._stills.keep_frame(
                actor, room.consultation_id, capture.capture_id, frame, "relay, video frame"
            )
        except RecordError as error:
            if room.capture is not None and room.capture.capture_id == capture.capture_id:
                self._set(room, machine.failed(room.capture, error.error_id))
        finally:
            self._keeping.discard(capture.capture_id)

    def room_closed(self, room: Room) -> None:
        """Nothing more is taken."""
        self._unwatch(room)
        self._uncap(room)
        self._asked_by.pop(room.consultation_id, None)

    async def stop(self) -> None:
        """Let what is being stored end."""
        await self._background.stop()


def _look_away(_frame: TappedFrame) -> None:
    """The watch is there for best_frame only."""
