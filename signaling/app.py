"""The aiohttp application and the Socket.IO server with every door bound."""

from __future__ import annotations

from typing import Any

import msgspec
import socketio
from aiohttp import web

from signaling import messages as m
from signaling.access import Act, Resource, Tie
from signaling.consultation_events import consultation_events
from signaling.errors import Refusal
from signaling.http_base import MAX_JSON_BYTES, client_address, identify, outermost
from signaling.http_entries import entry_routes
from signaling.http_history import history_routes
from signaling.http_join import join_routes
from signaling.http_pages import page_routes
from signaling.http_pictures import picture_routes
from signaling.http_staff import staff_routes
from signaling.http_uploads import upload_routes
from signaling.identity import Identity, require, token_hash
from signaling.live import CONSULTATION, WORKLIST, SocketLive, bind
from signaling.room_capture import RoomCaptures
from signaling.room_doors import RoomDoors
from signaling.room_quality import RoomQuality
from signaling.room_viewers import RoomViewers
from signaling.rooms import Rooms
from signaling.services import SERVICES, Services
from signaling.worklists import Worklists


def make_app(services: Services) -> web.Application:
    """Every HTTP door."""
    app = web.Application(middlewares=[outermost], client_max_size=MAX_JSON_BYTES)
    app[SERVICES] = services
    of_staff = (staff_routes, entry_routes, history_routes)
    for routes in (*of_staff, join_routes, upload_routes, picture_routes, page_routes):
        app.add_routes(routes())
    return app


def bind_consultation(
    server: socketio.AsyncServer,
    services: Services,
    rooms: Rooms,
    doors: RoomDoors,
    captures: RoomCaptures,
    quality: RoomQuality,
    viewers: RoomViewers,
    live: SocketLive,
) -> None:
    """The /consultation namespace."""

    async def enter(sid: str, request: web.Request, auth: Any) -> None:
        who, consultation_id, undoes_emphasis = await _who(services, request, auth)
        await rooms.enter(who, consultation_id, sid, client_address(request), undoes_emphasis)

    events = consultation_events(
        rooms, doors, captures, quality, viewers, services.records, live, services.clock
    )
    bind(server, CONSULTATION, enter, rooms.left, events)


async def _who(services: Services, request: web.Request, auth: Any) -> tuple[Identity, str, int]:
    """A personal link's token, or the consultation that signed-in staff want; and what chroma emphasis their
    page undoes. Raises Refusal."""
    if isinstance(auth, dict) and "token" in auth:
        link = msgspec.convert(auth, m.LinkAuth)
        participant = await services.records.participant_by_link(token_hash(link.token), services.clock())
        if participant is None:
            raise Refusal("access.link_invalid")
        who = Identity(participant=participant, origin=client_address(request))
        return who, participant.consultation_id, link.undoes_emphasis
    wanted = msgspec.convert(auth, m.StaffAuth)
    who = await identify(request)
    if who.staff is None:
        raise Refusal("access.sign_in")
    return who, wanted.consultation_id, wanted.undoes_emphasis


def bind_worklist(server: socketio.AsyncServer, worklists: Worklists) -> None:
    """The /worklist namespace."""

    async def enter(sid: str, request: web.Request, _auth: Any) -> None:
        who = await identify(request)
        require(who, Act.LIST_REFERRALS, Resource.CLINIC, frozenset({Tie.NONE}))
        assert who.staff is not None
        worklists.enter(who.staff, sid, who.origin)

    bind(server, WORKLIST, enter, worklists.left, {})
