"""A small clinic for tests of the simulated patient: HTTP and Socket.IO doors, and a real relay behind them.

It reads every message by signaling's own types, and so refuses what the real server would refuse.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import socketio
from aiohttp import web

from media.interface import PublicationAdded, PublicationEnded, PublicationInfo, Source
from media.worker import MediaWorker
from signaling import messages as m
from signaling.views import emphasis_from_wire, emphasis_view

TOKEN = "a-token-of-the-tests-0001"
NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
ROOM = "consultation1"
PATIENT = "patient1"
CONSENT_SHA256 = "ab" * 32


@dataclass
class Clinic:
    """What the patient did, and the buttons that a specialist has."""

    worker: MediaWorker
    admission: m.AdmissionName = "invited"
    phase: m.PhaseName = "scheduled"
    consent: m.ConsentRequest | None = None
    satisfaction: m.SatisfactionRequest | None = None
    knocks: int = 0
    negotiations: list[m.NegotiateRequest] = field(default_factory=list)
    progress: list[m.CaptureProgressRequest] = field(default_factory=list)
    failures: list[m.CaptureFailedRequest] = field(default_factory=list)
    upload: m.UploadRequest | None = None
    body: bytearray = field(default_factory=bytearray)
    connections: int = 0
    drop_patches: int = 0
    """So many PATCH requests are cut off after half of their bytes."""
    refuse_uploads: bool = False
    origin: str = ""
    revoked: bool = False
    lost_media: bool = False
    emphasis_version: int = 0

    def __post_init__(self) -> None:
        self.socket = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=[])
        self._changed = asyncio.Event()
        for event in ("connect", "knock", "negotiate", "capture_progress", "capture_failed"):
            self.socket.on(event, getattr(self, f"on_{event}"), namespace="/consultation")
        self.worker.subscribe_events(self._on_media)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def link(self) -> str:
        return f"{self.origin}/p/#{TOKEN}"

    def publications(self) -> tuple[PublicationInfo, ...]:
        return self.worker.publications(ROOM)

    def camera(self) -> PublicationInfo | None:
        return next((p for p in self.publications() if p.source is Source.CAMERA), None)

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait until something that the patient did makes this true."""
        async with asyncio.timeout(60):
            while not done():
                self._changed.clear()
                await self._changed.wait()

    async def admit(self) -> None:
        self.admission, self.phase = "admitted", "in_call"
        await self.push()

    async def move(self, admission: m.AdmissionName) -> None:
        self.admission = admission
        if admission != "admitted":
            await self.worker.leave(ROOM, PATIENT)
        await self.push()

    async def take(self) -> None:
        await self._emit("capture_take", m.CaptureTake("capture1", ROOM))

    async def end(self) -> None:
        self.phase = "ended"
        await self._emit("ended", m.EndedEvent(ROOM))
        await self.push()

    async def drop_socket(self) -> None:
        """Cut the patient's connection."""
        for sid, _ in list(self.socket.manager.get_participants("/consultation", None)):
            await self.socket.disconnect(sid, namespace="/consultation")

    async def push(self) -> None:
        await self._emit("state", self.view())

    def view(self) -> m.ConsultationView:
        admitted = self.admission == "admitted"
        present = any(p.participant_id == PATIENT for p in self.publications()) and not self.lost_media
        you = m.ParticipantView(
            PATIENT, "patient", "P", self.admission, NOW, True, "connected" if present else "none"
        )
        publications = [
            m.PublicationView(
                p.publication_id,
                p.participant_id,
                p.source.value,
                p.kind.value,
                p.codec,
                False,
                emphasis_view(p.emphasis),
            )
            for p in self.publications()
        ]
        return m.ConsultationView(
            consultation_id=ROOM,
            phase=self.phase,
            scheduled_at=NOW,
            server_time=NOW,
            specialist_name="Dr S",
            you=you,
            position=None,
            estimated_wait_s=None,
            words=None,
            consent_given=self.consent is not None,
            satisfaction_given=self.satisfaction is not None,
            participants=[you],
            publications=publications if admitted else [],
            capture=None,
            calibration=None,
            fidelity=None,
            adaptation="full",
            emphasis_version=self.emphasis_version,
        )

    # --- Socket.IO -------------------------------------------------------------------------------------

    async def on_connect(self, sid: str, _environ: Any, auth: Any) -> None:
        if msgspec.convert(auth, m.LinkAuth).token != TOKEN:
            raise ConnectionRefusedError("link.unknown")
        self.connections += 1
        self._note()
        await self.socket.emit("state", msgspec.to_builtins(self.view()), to=sid, namespace="/consultation")

    async def on_knock(self, _sid: str, data: Any) -> Any:
        msgspec.convert(data, m.KnockRequest)
        self.knocks += 1
        self.admission = "waiting"
        self._note()
        await self.push()
        return msgspec.to_builtins(m.OkReply())

    async def on_negotiate(self, _sid: str, data: Any) -> Any:
        request = msgspec.convert(data, m.NegotiateRequest)
        if self.admission != "admitted":
            return {"error": {"id": "access.denied", "message": "no"}}
        self.negotiations.append(request)
        answer = await self.worker.negotiate(
            ROOM,
            PATIENT,
            request.sdp,
            {mid: Source(source) for mid, source in request.publications.items()},
            request.subscriptions,
            "127.0.0.1",
            {mid: emphasis_from_wire(one) for mid, one in request.emphasis.items()},
        )
        self.lost_media = False
        self._note()
        return msgspec.to_builtins(m.NegotiateReply(answer.sdp, {}))

    async def on_capture_progress(self, _sid: str, data: Any) -> Any:
        self.progress.append(msgspec.convert(data, m.CaptureProgressRequest))
        self._note()
        return msgspec.to_builtins(m.OkReply())

    async def on_capture_failed(self, _sid: str, data: Any) -> Any:
        self.failures.append(msgspec.convert(data, m.CaptureFailedRequest))
        self._note()
        return msgspec.to_builtins(m.OkReply())

    # --- HTTP ------------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._bearer])
        app.add_routes(
            [
                web.get("/api/join", self._join),
                web.get("/api/consent/{language}", self._consent_text),
                web.post("/api/join/consent", self._consent),
                web.post("/api/join/satisfaction", self._satisfaction),
                web.get("/api/ice", self._ice),
                web.post("/api/uploads", self._create),
                web.head("/api/uploads/{upload_id}", self._head),
                web.patch("/api/uploads/{upload_id}", self._patch),
            ]
        )
        self.socket.attach(app)
        return app

    @web.middleware
    async def _bearer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/api/"):
            if self.revoked or request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return reply(m.ErrorReply(m.ErrorView("link.unknown", "no such link")), 401)
            assert TOKEN not in str(request.url)
        response: web.StreamResponse = await handler(request)
        self._note()
        return response

    async def _join(self, _request: web.Request) -> web.Response:
        return reply(
            m.JoinView(
                participant_id=PATIENT,
                consultation_id=ROOM,
                role="patient",
                name="P",
                specialist_name="Dr S",
                site_name="Site",
                scheduled_at=NOW,
                phase=self.phase,
                language="zh",
                consent_version="1",
                consent_given=self.consent is not None,
                satisfaction_given=False,
            )
        )

    async def _consent_text(self, request: web.Request) -> web.Response:
        language = msgspec.convert(request.match_info["language"], m.Language)
        return reply(m.ConsentTextView("1", language, "T", ["p"], CONSENT_SHA256))

    async def _consent(self, request: web.Request) -> web.Response:
        self.consent = msgspec.json.decode(await request.read(), type=m.ConsentRequest)
        return reply(m.OkReply())

    async def _satisfaction(self, request: web.Request) -> web.Response:
        self.satisfaction = msgspec.json.decode(await request.read(), type=m.SatisfactionRequest)
        return reply(m.OkReply())

    async def _ice(self, _request: web.Request) -> web.Response:
        return reply(m.IceView([], False))

    async def _create(self, request: web.Request) -> web.Response:
        if self.refuse_uploads:
            return reply(m.ErrorReply(m.ErrorView("upload.too_large", "too large")), 413)
        self.upload = msgspec.json.decode(await request.read(), type=m.UploadRequest)
        view = m.UploadView("upload1", 0, self.upload.size_bytes, None)
        return reply(view, 201, {"Location": "/api/uploads/upload1", "Tus-Resumable": "1.0.0"})

    async def _head(self, request: web.Request) -> web.Response:
        assert request.headers["Tus-Resumable"] == "1.0.0"
        return web.Response(headers=self._offset())

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        assert request.content_type == "application/offset+octet-stream"
        if int(request.headers["Upload-Offset"]) != len(self.body):
            return reply(m.ErrorReply(m.ErrorView("upload.offset", "not there")), 409)
        chunk = await request.read()
        if self.drop_patches:
            self.drop_patches -= 1
            self.body += chunk[: len(chunk) // 2]
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self.body += chunk
        return web.Response(status=204, headers=self._offset())

    def _offset(self) -> dict[str, str]:
        return {"Upload-Offset": str(len(self.body)), "Tus-Resumable": "1.0.0"}

    # -----------------------------------------------------------------------------------------------------

    async def _emit(self, event: str, message: Any) -> None:
        await self.socket.emit(event, msgspec.to_builtins(message), namespace="/consultation")

    def _on_media(self, event: Any) -> None:
        self._note()
        if isinstance(event, PublicationAdded | PublicationEnded):
            task = asyncio.get_running_loop().create_task(self.push())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _note(self) -> None:
        self._changed.set()


def reply(view: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(view), status=status, content_type="application/json", headers=headers
    )


@asynccontextmanager
async def open_clinic(worker: MediaWorker, tls: ssl.SSLContext | None = None) -> AsyncIterator[Clinic]:
    """A clinic on a free port of loopback."""
    clinic = Clinic(worker)
    runner = web.AppRunner(clinic.application(), shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        clinic.origin = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield clinic
    finally:
        await clinic.socket.shutdown()
        await runner.cleanup()
