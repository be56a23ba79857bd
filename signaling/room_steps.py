"""Carries out commands about admission and phase: decide, record, then do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from media.interface import Relay
from records.interface import Actor, Participant, Records
from signaling.consultation import (
    AllMediaClosed,
    Command,
    MediaClosed,
    PhaseChanged,
    PlaceChanged,
    decide,
)
from signaling.room import Room

log = structlog.get_logger()


class RoomSteps:
    """The record follows the state machine, and media follows the record."""

    def __init__(self, records: Records, relay: Relay, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._relay = relay
        self._clock = clock

    async def apply(self, room: Room, command: Command, actor: Actor, about: str, words: str | None) -> bool:
        """Decide, record, then do. Whether anything moved."""
        now = self._clock()
        _, actions = decide(room.state(), command, about, words, now)
        for action in actions:
            match action:
                case PlaceChanged(participant_id, admission, kept):
                    room.participants[participant_id] = await self._records.set_admission(
                        actor, participant_id, admission, kept, now
                    )
                case PhaseChanged(phase):
                    room.consultation = await self._records.set_phase(actor, room.consultation_id, phase, now)
                case MediaClosed(participant_id):
                    await self.end_media(room, participant_id)
                case AllMediaClosed():
                    await self._relay.close_room(room.consultation_id)
                    for participant_id in room.participants:
                        room.forget_media_of(participant_id)
        if actions:
            log.info("consultation_command", command=command.value, consultation_id=room.consultation_id)
        return bool(actions)

    async def end_media(self, room: Room, participant_id: str) -> None:
        """End one participant's media at once."""
        await self._relay.leave(room.consultation_id, participant_id)
        room.forget_media_of(participant_id)


def actor_of(room: Room, participant: Participant) -> Actor:
    """Staff act under their account, others under their place."""
    return Actor(
        participant.staff_id or participant.participant_id,
        participant.role,
        f"consultation/{participant.consultation_id}",
        room.addresses.get(participant.participant_id, ""),
    )
