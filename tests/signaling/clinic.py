"""A running clinic for tests: staff over HTTP, participants over Socket.IO, waits without sleeping."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec
import numpy as np
import socketio
from PIL import Image

from records.interface import Role, Staff
from signaling import compose
from tests.support.settings import loopback_settings

TIMEOUT_S = 20.0
"""Only to end a test that hangs; nothing is asserted about time."""


@dataclass
class Reply:
    """An HTTP answer, read."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def error_id(self) -> str:
        """Id of a refusal."""
        return str(self.json["error"]["id"])


class Browser:
    """An HTTP client with its own cookies, or with a personal link's token."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self.token = token
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def ask(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> Reply:
        """One request as our own pages make it."""
        sent = {"Origin": self.url, **(headers or {})}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if json is not None:
            more["json"] = json
        async with self.http.request(
            method, self.url + path, headers=sent, allow_redirects=False, **more
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, path: str) -> Reply:
        """GET"""
        return await self.ask("GET", path)

    async def post(self, path: str, json: Any) -> Reply:
        """POST with JSON"""
        return await self.ask("POST", path, json)

    @property
    def cookie(self) -> str:
        """The Cookie header that the browser would send."""
        return "; ".join(f"{one.key}={one.value}" for one in self.http.cookie_jar)


class Seat:
    """A Socket.IO connection that keeps every event and wakes whoever waits for one."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.events: list[tuple[str, Any]] = []
        self.gone = asyncio.Event()
        self._namespace = "/consultation"
        self._news = asyncio.Condition()

    async def connect(
        self, url: str, auth: Any, namespace: str = "/consultation", headers: dict[str, str] | None = None
    ) -> Self:
        """Connect; raises socketio.exceptions.ConnectionError when refused."""
        self._namespace = namespace

        async def on_any(event: str, *data: Any) -> None:
            async with self._news:
                self.events.append((event, data[0] if data else None))
                self._news.notify_all()

        async def on_disconnect(*_reason: Any) -> None:
            self.gone.set()

        self.socket.on("*", on_any, namespace=namespace)
        self.socket.on("disconnect", on_disconnect, namespace=namespace)
        await self.socket.connect(
            url,
            auth=auth,
            namespaces=[namespace],
            transports=["websocket"],
            wait_timeout=TIMEOUT_S,
            headers={"Origin": url, **(headers or {})},
        )
        return self

    async def call(self, event: str, data: Any = None) -> Any:
        """Send an event and wait for its reply."""
        return await self.socket.call(
            event, {} if data is None else data, namespace=self._namespace, timeout=TIMEOUT_S
        )

    async def until(self, name: str, holds: Callable[[Any], bool] = lambda _: True) -> Any:
        """The last event of this name that holds, waiting for it if need be."""

        def found() -> list[Any]:
            return [data for event, data in self.events if event == name and holds(data)]

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: bool(found())), TIMEOUT_S)
            return found()[-1]

    async def state(self, holds: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait until the newest `state` holds."""

        def last() -> Any:
            return next((data for event, data in reversed(self.events) if event == "state"), None)

        async with self._news:
            await asyncio.wait_for(
                self._news.wait_for(lambda: last() is not None and holds(last())), TIMEOUT_S
            )
            return last()

    def named(self, name: str) -> list[Any]:
        """Every event of this name so far."""
        return [data for event, data in self.events if event == name]

    async def close(self) -> None:
        """Hang up."""
        await self.socket.disconnect()


PATIENT = {
    "name": "Ana Quispe",
    "birth_date": "1970-05-02",
    "sex": "female",
    "language": "en",
    "email": "ana@patient.example",
}


@dataclass
class Clinic:
    """The server and everybody who spoke to it."""

    server: compose.RunningServer
    specialist: Staff
    other_specialist: Staff
    referrer: Staff
    other_referrer: Staff
    _open: list[Browser | Seat] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, data: Path, ui_dir: Path | None = None, **more: Any) -> AsyncIterator[Clinic]:
        """Start a server; stop it and hang everything up at the end."""
        server = await compose.start(loopback_settings(data, **more), ui_dir=ui_dir)
        try:
            clinic = await cls.staffed(server)
            try:
                yield clinic
            finally:
                await clinic.hang_up()
        finally:
            await server.stop()

    @classmethod
    async def staffed(cls, server: compose.RunningServer) -> Clinic:
        """Two sites with a specialist and a referrer each."""
        records = server.records
        staff = []
        for number, name in enumerate(("City clinic", "Village practice")):
            site = await records.add_site(name)
            for role in (Role.SPECIALIST, Role.REFERRER):
                email, title = f"{role.value}{number}@clinic.example", f"Dr. {role.value.title()} {number}"
                one = await records.staff_by_email(email)
                if one is None:
                    one = await records.add_staff(site.site_id, email, title, role, "en", "no password")
                staff.append(one)
        return cls(server, staff[0], staff[2], staff[1], staff[3])

    @property
    def url(self) -> str:
        """Where it serves."""
        return self.server.url

    def browser(self, token: str | None = None) -> Browser:
        """A new client."""
        browser = Browser(self.url, token)
        self._open.append(browser)
        return browser

    async def signed_in(self, staff: Staff) -> Browser:
        """A client signed in through a one-time link."""
        browser = self.browser()
        token = self.server.auth.make_sign_in_link(staff.staff_id, datetime.now(UTC))
        reply = await browser.post("/api/login/link", {"token": token})
        assert reply.status == 200, reply.body
        return browser

    async def sit(self, auth: Any, namespace: str = "/consultation", browser: Browser | None = None) -> Seat:
        """A new Socket.IO connection."""
        seat = Seat()
        self._open.append(seat)
        headers = {"Cookie": browser.cookie} if browser is not None else None
        return await seat.connect(self.url, auth, namespace, headers)

    async def referral(self, browser: Browser, **patient: Any) -> Any:
        """A referral as ReferralView."""
        reply = await browser.post(
            "/api/referrals",
            {"patient": {**PATIENT, **patient}, "question": "What is this?", "urgency": "soon"},
        )
        assert reply.status == 201, reply.body
        return reply.json

    async def consultation(self) -> Consulted:
        """A referral sent and accepted, and the patient's link made."""
        referrer = await self.signed_in(self.referrer)
        specialist = await self.signed_in(self.specialist)
        referral = await self.referral(referrer)
        path = f"/api/referrals/{referral['referral_id']}/accept"
        accepted = await specialist.post(path, {"scheduled_at": datetime.now(UTC).isoformat()})
        assert accepted.status == 201, accepted.body
        consultation_id = accepted.json["consultation_id"]
        link = await specialist.post(f"/api/consultations/{consultation_id}/links", {"role": "patient"})
        assert link.status == 201, link.body
        token = link.json["url"].partition("#")[2]
        return Consulted(self, referral, consultation_id, referrer, specialist, token, self.browser(token))

    async def hang_up(self) -> None:
        """Close every client."""
        for one in self._open:
            if isinstance(one, Browser):
                await one.http.close()
            else:
                await one.close()
        self._open.clear()


@dataclass
class Consulted:
    """An accepted referral and the clients of its people."""

    clinic: Clinic
    referral: Any
    consultation_id: str
    referrer: Browser
    specialist: Browser
    token: str
    patient: Browser

    async def consent(self) -> None:
        """The patient agrees."""
        text = (await self.patient.get("/api/consent/en")).json
        reply = await self.patient.post(
            "/api/join/consent",
            {
                "version": text["version"],
                "language": "en",
                "text_sha256": text["sha256"],
                "purposes": ["care"],
            },
        )
        assert reply.status == 200, reply.body

    async def specialist_seat(self) -> Seat:
        """The specialist's page."""
        auth = {"consultation_id": self.consultation_id}
        return await self.clinic.sit(auth, browser=self.specialist)

    async def referrer_seat(self) -> Seat:
        """The referring site's page."""
        auth = {"consultation_id": self.consultation_id}
        return await self.clinic.sit(auth, browser=self.referrer)

    async def patient_seat(self) -> Seat:
        """The patient's page."""
        return await self.clinic.sit({"token": self.token})

    async def in_call(self) -> tuple[Seat, Seat]:
        """Specialist and patient, admitted: (specialist, patient)."""
        await self.consent()
        specialist, patient = await self.specialist_seat(), await self.patient_seat()
        assert await patient.call("knock") == {"ok": True}
        waiting = await specialist.state(
            lambda view: participant_of(view, "patient")["admission"] == "waiting"
        )
        reply = await specialist.call(
            "admit", {"participant_id": participant_of(waiting, "patient")["participant_id"]}
        )
        assert reply == {"ok": True}
        await patient.state(lambda view: view["you"]["admission"] == "admitted")
        return specialist, patient


def participant_of(view: Any, role: str) -> Any:
    return next(one for one in view["participants"] if one["role"] == role)


def still(seed: int = 1, width: int = 320, height: int = 240) -> bytes:
    """A JPEG of noise: a picture without a chart."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels.repeat(8, 0).repeat(8, 1)).save(data, "JPEG", quality=92)
    return data.getvalue()


async def upload(browser: Browser, body: bytes, owner_id: str, **about: Any) -> tuple[Reply, Reply]:
    """Create and send whole: the answers to POST and to PATCH."""
    created = await browser.post(
        "/api/uploads",
        {
            "purpose": "snapshot",
            "owner_id": owner_id,
            "size_bytes": len(body),
            "media_type": "image/jpeg",
            "method": "take_photo",
            "sha256": hashlib.sha256(body).hexdigest(),
            **about,
        },
    )
    if created.status != 201:
        return created, created
    patched = await browser.ask(
        "PATCH",
        created.headers["Location"],
        data=body,
        headers={
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": "0",
            "Tus-Resumable": "1.0.0",
        },
    )
    return created, patched
