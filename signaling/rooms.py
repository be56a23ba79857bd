"""The live rooms of this node: entering and leaving, commands, negotiation, and the pushing of state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from redis.exceptions import RedisError

from media.interface import (
    BudgetChanged,
    MediaEvent,
    PublicationAdded,
    PublicationEnded,
    Relay,
    TransportChanged,
)
from records.interface import (
    Admission,
    Consultation,
    Participant,
    Phase,
    RecordError,
    Records,
    Role,
)
from signaling.access import Act, Resource, allowed
from signaling.background import Background
from signaling.bus import Bus, Change
from signaling.consultation import (
    Command,
)
from signaling.days import read_day
from signaling.errors import Refusal, reply
from signaling.identity import (
    Identity,
    care_of_consultation,
    care_ties,
    consultation_resource,
    place_tie,
    require,
)
from signaling.lease import Lease
from signaling.room import Room
from signaling.room_ports import Live, RoomFollower
from signaling.room_steps import RoomSteps
from signaling.waiting import DayEntry

log = structlog.get_logger()

GRACE_S = 30.0
"""How long a lost signaling connection keeps its media, and an empty room its memory."""
RENEW_S = 5.0
WAITING_PUSH_S = 30.0
TICK_S = 0.5


@dataclass(slots=True)
class _Served:
    """A room with what runs for it."""

    room: Room
    lock: asyncio.Lock
    changed: asyncio.Event
    closed: bool = False
    closing: asyncio.TimerHandle | None = None
    leaving: dict[str, asyncio.TimerHandle] | None = None


class Rooms:
    """All rooms that this node serves."""

    def __init__(
        self,
        records: Records,
        relay: Relay,
        bus: Bus,
        lease: Lease,
        steps: RoomSteps,
        clock: Callable[[], datetime],
        staff_name: Callable[[str], Awaitable[str]],
        grace_s: float = GRACE_S,
        emphasis_enabled: bool = True,
    ) -> None:
        self._records = records
        self._relay = relay
        self._bus = bus
        self._lease = lease
        self._steps = steps
        self._clock = clock
        self._staff_name = staff_name
        self._grace_s = grace_s
        self._emphasis_enabled = emphasis_enabled
        self._served: dict[str, _Served] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._places: dict[str, tuple[str, str]] = {}
        """sid -> (consultation_id, participant_id)"""
        self._days: dict[str, list[DayEntry]] = {}
        self._live: Live | None = None
        self._followers: list[RoomFollower] = []
        self._background = Background("rooms")
        self._loop = asyncio.get_running_loop()
        self._background.spawn(self._tick_for_ever())
        relay.subscribe_events(self._on_media_event)
        bus.listen(self._on_change)

    def attach(self, live: Live, *followers: RoomFollower) -> None:
        """Tell how connections are reached, and who follows the rooms."""
        self._live = live
        self._followers = list(followers)

    # --- entering and leaving -------------------------------------------------------------------------

    async def enter(
        self, who: Identity, consultation_id: str, sid: str, address: str, undoes_emphasis: int = 0
    ) -> None:
        """A connection comes in. An older one of the same participant goes. Raises Refusal, RecordError.

        undoes_emphasis: the newest version of chroma emphasis that its page can undo."""
        link, known = await care_of_consultation(self._records, consultation_id)
        ties = care_ties(who, (link,))
        if who.participant is not None and who.participant.consultation_id == consultation_id:
            ties = place_tie(who.participant)
        require(who, Act.ENTER, consultation_resource(known.phase), ties)
        now = self._clock()
        consultation = await self._records.consultation(
            who.actor(f"consultation/{consultation_id}"), consultation_id, now
        )
        served = await self._open(consultation, link.site_id)
        async with served.lock:
            room = served.room
            participant = await self._place(who, room, now)
            if participant.role is Role.SPECIALIST and room.phase is not Phase.ENDED:
                await self._steps.apply(
                    room,
                    Command.ENTER,
                    who.actor(f"consultation/{room.consultation_id}"),
                    participant.participant_id,
                    None,
                )
            older = room.sids.get(participant.participant_id)
            room.sids[participant.participant_id] = sid
            room.addresses[participant.participant_id] = address
            room.undoes_emphasis[participant.participant_id] = undoes_emphasis
            self._places[sid] = (consultation_id, participant.participant_id)
            self._keep(served, participant.participant_id)
        if older is not None and older != sid:
            await self._replace(older)
        await self._refresh_day(room.consultation.specialist_id)
        self.changed(room)
        if participant.waiting_since is not None:
            await self._bus.publish(Change(specialist_id=room.consultation.specialist_id))

    def is_present(self, consultation_id: str, participant_id: str) -> bool:
        """Whether a participant is connected to this node."""
        served = self._served.get(consultation_id)
        return served is not None and participant_id in served.room.sids

    async def _open(self, consultation: Consultation, site_id: str) -> _Served:
        consultation_id = consultation.consultation_id
        async with self._opening.setdefault(consultation_id, asyncio.Lock()):
            served = self._served.get(consultation_id)
            if served is not None:
                return served
            if not await self._lease.hold(consultation_id):
                raise Refusal("consultation.on_another_node")
            room = Room(consultation, site_id, await self._staff_name(consultation.specialist_id))
            room.emphasis_enabled = self._emphasis_enabled
            for one in await self._records.participants(consultation_id):
                room.participants[one.participant_id] = one
            for publication in self._relay.publications(consultation_id):
                room.publications[publication.publication_id] = publication
            served = _Served(room, asyncio.Lock(), asyncio.Event(), leaving={})
            self._background.spawn(self._push_for_ever(served))
            self._served[consultation_id] = served
            return served

    async def _place(self, who: Identity, room: Room, now: datetime) -> Participant:
        """The participant that somebody is here; staff with a tie of care get a place when they come."""
        if who.participant is not None:
            fresh = await self._records.participant(who.participant.participant_id)
            assert fresh is not None
            room.participants[fresh.participant_id] = fresh
            return fresh
        assert who.staff is not None
        for one in room.participants.values():
            if one.staff_id == who.staff.staff_id:
                return one
        if room.phase is Phase.ENDED:
            raise Refusal("consultation.ended")
        specialist = who.staff.role is Role.SPECIALIST
        added = await self._records.add_participant(
            who.actor(f"consultation/{room.consultation_id}"),
            room.consultation_id,
            who.staff.role,
            who.staff.name,
            who.staff.staff_id,
            Admission.ADMITTED if specialist else Admission.INVITED,
            now,
        )
        room.participants[added.participant_id] = added
        return added

    async def _replace(self, sid: str) -> None:
        """The newer connection of a participant wins; the older is told why it ends."""
        self._places.pop(sid, None)
        assert self._live is not None
        await self._live.emit("replaced", reply("consultation.replaced"), sid)
        await self._live.disconnect(sid)

    def left(self, sid: str) -> None:
        """A connection is gone. Admission stays; media stays for the grace, in which it may come back."""
        place = self._places.pop(sid, None)
        if place is None:
            return
        consultation_id, participant_id = place
        served = self._served.get(consultation_id)
        if served is None or served.room.sids.get(participant_id) != sid:
            return
        served.room.sids.pop(participant_id)
        assert served.leaving is not None
        served.leaving[participant_id] = self._loop.call_later(
            self._grace_s, lambda: self._background.spawn(self._gone(served, participant_id))
        )
        if not served.room.sids:
            served.closing = self._loop.call_later(
                self._grace_s, lambda: self._background.spawn(self._close(served))
            )
        self.changed(served.room)
        if served.room.participants[participant_id].waiting_since is not None:
            change = Change(specialist_id=served.room.consultation.specialist_id)
            self._background.spawn(self._bus.publish(change))

    def _keep(self, served: _Served, participant_id: str) -> None:
        assert served.leaving is not None
        if (timer := served.leaving.pop(participant_id, None)) is not None:
            timer.cancel()
        if served.closing is not None:
            served.closing.cancel()
            served.closing = None

    async def _gone(self, served: _Served, participant_id: str) -> None:
        if participant_id not in served.room.sids:
            await self._steps.end_media(served.room, participant_id)
            self.changed(served.room)

    async def _close(self, served: _Served) -> None:
        room = served.room
        async with self._opening.setdefault(room.consultation_id, asyncio.Lock()):
            if room.sids or self._served.get(room.consultation_id) is not served:
                return
            self._served.pop(room.consultation_id)
            await self._shut(served)
        self._opening.pop(room.consultation_id, None)

    async def _shut(self, served: _Served) -> None:
        room = served.room
        for timer in (served.leaving or {}).values():
            timer.cancel()
        if served.closing is not None:
            served.closing.cancel()
        for follower in self._followers:
            follower.room_closed(room)
        served.closed = True
        served.changed.set()
        await self._relay.close_room(room.consultation_id)
        try:
            await self._lease.free(room.consultation_id)
        except RedisError as error:
            log.warning("lease_not_freed", error=type(error).__name__)

    # --- what connections ask -------------------------------------------------------------------------

    def place_of(self, sid: str) -> tuple[Room, Participant]:
        """Room and participant of a connection. Raises Refusal."""
        place = self._places.get(sid)
        served = self._served.get(place[0]) if place is not None else None
        if place is None or served is None:
            raise Refusal("access.denied")
        return served.room, served.room.participants[place[1]]

    def lock_of(self, room: Room) -> asyncio.Lock:
        """Held while a command about this room is carried out."""
        return self._served[room.consultation_id].lock

    def check(self, sid: str, act: Act) -> tuple[Room, Participant]:
        """place_of, and whether they may do this now. Raises Refusal."""
        room, participant = self.place_of(sid)
        resource = consultation_resource(room.phase)
        if not allowed(participant.role, act, resource, place_tie(participant)).allowed:
            ended = resource is Resource.ENDED_CONSULTATION
            raise Refusal("consultation.ended" if ended else "access.denied")
        return room, participant

    # --- what happens ---------------------------------------------------------------------------------

    def _on_media_event(self, event: MediaEvent) -> None:
        if isinstance(event, BudgetChanged):
            return  # its publisher is told; nothing of the room has changed
        room_id = event.room_id if isinstance(event, TransportChanged) else event.publication.room_id
        served = self._served.get(room_id)
        if served is None:
            return
        room = served.room
        match event:
            case TransportChanged(_, participant_id, state):
                room.transports[participant_id] = state
            case PublicationAdded(publication):
                room.publications[publication.publication_id] = publication
            case PublicationEnded(publication):
                room.publications.pop(publication.publication_id, None)
                room.muted.discard(publication.publication_id)
        self.changed(room)

    def _on_change(self, change: Change) -> None:
        if change.specialist_id and any(
            served.room.consultation.specialist_id == change.specialist_id for served in self._served.values()
        ):
            self._background.spawn(self._refresh_day(change.specialist_id))
        served = self._served.get(change.consultation_id)
        if served is None:
            return
        if change.snapshot_id:
            for follower in self._followers:
                follower.snapshot_stored(served.room, change)
        else:
            self._background.spawn(self._refresh(served))

    async def _refresh(self, served: _Served) -> None:
        """Read the participants again: a link was made, a consent given, perhaps on another node."""
        async with served.lock:
            for one in await self._records.participants(served.room.consultation_id):
                served.room.participants[one.participant_id] = one
        self.changed(served.room)

    async def _refresh_day(self, specialist_id: str) -> None:
        self._days[specialist_id] = await read_day(self._records, specialist_id, self._clock())
        for served in self._served.values():
            if served.room.consultation.specialist_id == specialist_id:
                self.changed(served.room)

    def changed(self, room: Room) -> None:
        """Push the room's state to everybody in it, once for all that changed until then."""
        for follower in self._followers:
            follower.room_changed(room)
        served = self._served.get(room.consultation_id)
        if served is not None:
            served.changed.set()

    async def _push_for_ever(self, served: _Served) -> None:
        while not served.closed:
            await served.changed.wait()
            served.changed.clear()
            room = served.room
            day = self._days.get(room.consultation.specialist_id, [])
            for participant_id, sid in list(room.sids.items()):
                assert self._live is not None
                try:
                    await self._live.emit("state", room.view(participant_id, day, self._clock()), sid)
                except Exception as error:
                    log.error("push_failed", error=type(error).__name__)

    # --- time -----------------------------------------------------------------------------------------

    async def _tick_for_ever(self) -> None:
        ticks = 0
        while not await self._background.sleep(TICK_S):
            ticks += 1
            for served in list(self._served.values()):
                try:
                    await self._tick(served, ticks)
                except (RecordError, RedisError) as error:
                    log.warning("room_tick_failed", error=type(error).__name__)

    async def _tick(self, served: _Served, ticks: int) -> None:
        room = served.room
        for follower in self._followers:
            await follower.tick(room, self._clock())
        if ticks % int(RENEW_S / TICK_S) == 0 and not await self._lease.hold(room.consultation_id):
            await self._lost(served)
        elif ticks % int(WAITING_PUSH_S / TICK_S) == 0 and any(
            one.waiting_since is not None for one in room.participants.values()
        ):
            self.changed(room)

    async def _lost(self, served: _Served) -> None:
        """Another node took the consultation while this one could not reach Redis: people go there."""
        log.warning("lease_lost", consultation_id=served.room.consultation_id)
        self._served.pop(served.room.consultation_id, None)
        sids = list(served.room.sids.values())
        await self._shut(served)
        for sid in sids:
            self._places.pop(sid, None)
            assert self._live is not None
            await self._live.disconnect(sid)

    @property
    def count(self) -> int:
        """How many rooms are served."""
        return len(self._served)

    def room(self, consultation_id: str) -> Room | None:
        """The live room of a consultation, if this node serves it."""
        served = self._served.get(consultation_id)
        return served.room if served is not None else None

    async def stop(self) -> None:
        """Close every room."""
        self._background.stopping.set()
        for served in list(self._served.values()):
            await self._shut(served)
        self._served.clear()
        await self._background.stop()
