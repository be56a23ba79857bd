"""What a connection may ask of its room: commands, negotiation, mute; each checked against access first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from media.interface import ChromaEmphasis, Negotiation, Relay, Source
from records.interface import Role
from signaling.access import Act
from signaling.bus import Bus, Change
from signaling.consultation import Command
from signaling.errors import Refusal
from signaling.messages import EndedEvent
from signaling.room import Room
from signaling.room_ports import Live
from signaling.room_steps import RoomSteps, actor_of
from signaling.rooms import Rooms

COMMAND_ACTS = {
    Command.KNOCK: Act.KNOCK,
    Command.LEAVE: Act.LEAVE,
    Command.ADMIT: Act.DECIDE_ADMISSION,
    Command.REFUSE: Act.DECIDE_ADMISSION,
    Command.SEND_BACK: Act.DECIDE_ADMISSION,
    Command.END: Act.END,
}


class RoomDoors:
    """The use cases behind the events of a consultation's participants."""

    def __init__(self, rooms: Rooms, steps: RoomSteps, relay: Relay, bus: Bus, live: Live) -> None:
        self._rooms = rooms
        self._steps = steps
        self._relay = relay
        self._bus = bus
        self._live = live

    async def command(self, sid: str, command: Command, target_id: str | None, words: str | None) -> None:
        """Knock, leave, admit, refuse, send back, end. Raises Refusal, RecordError."""
        room, participant = self._rooms.check(sid, COMMAND_ACTS[command])
        if command is Command.KNOCK and participant.role is Role.SPECIALIST:
            command = Command.ENTER
        actor = actor_of(room, participant)
        async with self._rooms.lock_of(room):
            self._rooms.check(sid, COMMAND_ACTS.get(command, Act.KNOCK))
            about = participant.participant_id if target_id is None else target_id
            moved = await self._steps.apply(room, command, actor, about, words)
        if moved:
            await self._bus.publish(
                Change(specialist_id=room.consultation.specialist_id, site_id=room.site_id)
            )
        if command is Command.END and moved:
            await self._tell_ended(room)
        self._rooms.changed(room)

    async def _tell_ended(self, room: Room) -> None:
        for sid in list(room.sids.values()):
            await self._live.emit("ended", EndedEvent(room.consultation_id), sid)

    async def negotiate(
        self,
        sid: str,
        sdp: str,
        publications: dict[str, str],
        subscriptions: dict[str, str],
        emphasis: Mapping[str, ChromaEmphasis] = MappingProxyType({}),
    ) -> Negotiation:
        """Hand an admitted participant's offer to the relay. Raises Refusal, MediaError.

        A Publication whose emphasis the participant's page cannot undo is not subscribed to, whoever asks.
        """
        room, participant = self._rooms.check(sid, Act.NEGOTIATE)
        sources = {mid: Source(source) for mid, source in publications.items()}
        if Source.SCREEN in sources.values():
            self._rooms.check(sid, Act.SHARE_SCREEN)
        negotiation = await self._relay.negotiate(
            room.consultation_id,
            participant.participant_id,
            sdp,
            sources,
            {
                mid: publication_id
                for mid, publication_id in subscriptions.items()
                if room.can_show(participant.participant_id, publication_id)
            },
            room.addresses.get(participant.participant_id),
            emphasis,
            is_patient=participant.role is Role.PATIENT,
        )
        if not room.is_admitted(participant.participant_id):
            # Sent back or ended while the relay was at it: the door is shut again.
            await self._steps.end_media(room, participant.participant_id)
            raise Refusal("access.denied")
        return negotiation

    def mute(self, sid: str, publication_id: str, muted: bool) -> None:
        """Remember that one's own Publication is muted. Raises Refusal."""
        room = self._room_of_own(sid, publication_id)
        (room.muted.add if muted else room.muted.discard)(publication_id)
        self._rooms.changed(room)

    def camera_changed(self, sid: str, publication_id: str) -> None:
        """Remember that another camera is behind one's own Publication. Raises Refusal."""
        room = self._room_of_own(sid, publication_id)
        room.camera_changes[publication_id] += 1
        self._rooms.changed(room)

    def _room_of_own(self, sid: str, publication_id: str) -> Room:
        """Whoever may mute a Publication may say what is behind it. Raises Refusal."""
        room, participant = self._rooms.check(sid, Act.MUTE)
        publication = room.publications.get(publication_id)
        if publication is None or publication.participant_id != participant.participant_id:
            raise Refusal("media.unknown_publication")
        return room
