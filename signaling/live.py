"""The Socket.IO doors: thin shells that limit, decode, hand over, and answer with a reply or an error."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import socketio
import structlog
from aiohttp import web

from media.interface import MediaError
from records.interface import RecordError
from signaling import messages as m
from signaling.consultation import Command
from signaling.errors import Refusal, reply
from signaling.rate import TokenBucket
from signaling.views import encode

log = structlog.get_logger()

CONSULTATION = "/consultation"
WORKLIST = "/worklist"
MAX_MESSAGE_BYTES = 1_000_000
EVENTS_PER_S, EVENTS_AT_ONCE = 20.0, 80
TOO_MANY = 500
"""Refused events after which a connection is ended."""

Handler = Callable[[str, Any], Awaitable[msgspec.Struct]]


class SocketLive:
    """Emits to connections of both namespaces; the rooms' and worklists' way out."""

    def __init__(self, server: socketio.AsyncServer, namespace: str) -> None:
        self._server = server
        self._namespace = namespace

    async def emit(self, event: str, message: msgspec.Struct, sid: str) -> None:
        """See rooms.Live."""
        await self._server.emit(event, encode(message), to=sid, namespace=self._namespace)

    async def disconnect(self, sid: str) -> None:
        """See rooms.Live."""
        await self._server.disconnect(sid, namespace=self._namespace)


def make_server() -> socketio.AsyncServer:
    """A Socket.IO server that takes connections of its own origin only."""
    return socketio.AsyncServer(
        async_mode="aiohttp",
        max_http_buffer_size=MAX_MESSAGE_BYTES,
        logger=False,
        engineio_logger=False,
        ping_interval=10,
        ping_timeout=10,
    )


def error_id_of(error: Exception) -> str:
    """The wire's id of an error of ours; server.error for any other."""
    if isinstance(error, Refusal | RecordError | MediaError):
        return error.error_id
    if isinstance(error, msgspec.MsgspecError):
        return "request.malformed"
    return "server.error"


class _Limits:
    """Token buckets by connection."""

    def __init__(self) -> None:
        self._buckets: dict[str, TokenBucket] = {}
        self._refused: dict[str, int] = {}

    def within(self, sid: str) -> bool:
        bucket = self._buckets.setdefault(sid, TokenBucket(EVENTS_PER_S, EVENTS_AT_ONCE))
        if bucket.take(time.monotonic()):
            return True
        self._refused[sid] = self._refused.get(sid, 0) + 1
        return False

    def hopeless(self, sid: str) -> bool:
        return self._refused.get(sid, 0) >= TOO_MANY

    def forget(self, sid: str) -> None:
        self._buckets.pop(sid, None)
        self._refused.pop(sid, None)


def bind(
    server: socketio.AsyncServer,
    namespace: str,
    enter: Callable[[str, web.Request, Any], Awaitable[None]],
    left: Callable[[str], None],
    handlers: Mapping[str, tuple[type[msgspec.Struct], Handler]],
) -> None:
    """Serve a namespace: enter and left at its door, and a handler for each event.

    Every event is answered: by the handler's reply, or by an ErrorReply after which nothing has changed.
    """
    limits = _Limits()

    async def on_connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        try:
            await enter(sid, environ["aiohttp.request"], auth)
            if server.manager.eio_sid_from_sid(sid, namespace) not in server.eio.sockets:
                # Gone while it came in: no disconnect event will tell.
                left(sid)
        except Exception as error:
            refusal = _refused(namespace, "connect", error)
            raise socketio.exceptions.ConnectionRefusedError(refusal.error.message, encode(refusal)) from None

    async def on_disconnect(sid: str, *_reason: Any) -> None:
        limits.forget(sid)
        left(sid)

    async def on_event(event: str, sid: str, *arguments: Any) -> Any:
        try:
            if not limits.within(sid):
                if limits.hopeless(sid):
                    await server.disconnect(sid, namespace=namespace)
                raise Refusal("request.rate_limited")
            if event not in handlers:
                raise Refusal("request.unknown_event")
            kind, handler = handlers[event]
            if len(arguments) > 1:
                raise Refusal("request.malformed")
            data = arguments[0] if arguments else {}
            return encode(await handler(sid, msgspec.convert(data, kind)))
        except Exception as error:
            return encode(_refused(namespace, event if event in handlers else "unknown", error))

    server.on("connect", on_connect, namespace=namespace)
    server.on("disconnect", on_disconnect, namespace=namespace)
    server.on("*", on_event, namespace=namespace)


def _refused(namespace: str, event: str, error: Exception) -> m.ErrorReply:
    error_id = error_id_of(error)
    level = log.error if error_id == "server.error" else log.info
    level(
        "event_refused", namespace=namespace, event_name=event, error_id=error_id, kind=type(error).__name__
    )
    return reply(error_id)


COMMANDS: Mapping[str, tuple[type[msgspec.Struct], Command]] = {
    "knock": (m.KnockRequest, Command.KNOCK),
    "admit": (m.AdmitRequest, Command.ADMIT),
    "refuse": (m.RefuseRequest, Command.REFUSE),
    "send_back": (m.SendBackRequest, Command.SEND_BACK),
    "leave": (m.LeaveRequest, Command.LEAVE),
    "end": (m.EndRequest, Command.END),
}
