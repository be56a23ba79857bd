"""HTTP as a patient's page speaks it: join by a link, consent, upload stills resumably, answer at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import aiohttp

from media.simulated.wire import (
    ConsentText,
    Ice,
    Joined,
    Link,
    LinkRefused,
    PatientError,
    Upload,
    accepted,
    read,
)

CHUNK_BYTES = 256 * 1024
TRIES = 6
_TUS = {"Tus-Resumable": "1.0.0"}


class Door:
    """One client session for one personal link; to be entered with `async with`."""

    def __init__(self, link: Link) -> None:
        self.link = link
        # On loopback there is nobody in between, and the certificate is one of the server's own making.
        connector = aiohttp.TCPConnector(ssl=not link.on_this_host)
        self.session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=60))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.session.close()

    async def join(self) -> Joined:
        """What the link opens. Raises LinkRefused when it opens nothing."""
        return read(await self._json("GET", "/api/join"), Joined)

    async def consent(self, language: str) -> None:
        """Read the text in this language and agree to it, for care only."""
        text = read(await self._json("GET", f"/api/consent/{language}"), ConsentText)
        await self._json(
            "POST",
            "/api/join/consent",
            {
                "version": text.version,
                "language": text.language,
                "text_sha256": text.sha256,
                "purposes": ["care"],
            },
        )

    async def ice(self) -> Ice:
        """Servers for the call."""
        return read(await self._json("GET", "/api/ice"), Ice)

    async def satisfaction(self, score: int, words: str) -> None:
        """Answer after the consultation; score 1 to 5."""
        await self._json("POST", "/api/join/satisfaction", {"score": score, "words": words})

    async def upload(
        self,
        body: bytes,
        about: Mapping[str, Any],
        progress: Callable[[int], Awaitable[None]],
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        """Upload in chunks, asking the server where to go on after every failure (tus 1.0.0).

        about: the fields of POST /api/uploads. progress: told the bytes that have arrived. Raises
        PatientError when it cannot be done.
        """
        location, offset = await self._create_upload(about)
        failures = 0
        while True:
            try:
                # Empty where only the last answer was lost: the server then finishes what it has.
                offset = await self._patch(location, offset, body[offset : offset + chunk_bytes])
                failures = 0
                await progress(offset)
                if offset >= len(body):
                    return
            except (aiohttp.ClientError, TimeoutError):
                failures += 1
                if failures >= TRIES:
                    raise PatientError("upload.failed", "the server cannot be reached") from None
                await asyncio.sleep(0.2 * 2**failures)
                offset = await self._resume(location, offset)

    async def _create_upload(self, about: Mapping[str, Any]) -> tuple[str, int]:
        async with self._request("POST", "/api/uploads", json=dict(about), headers=_TUS) as response:
            upload = read(await _body(response), Upload)
            location = urljoin(
                self.link.origin, response.headers.get("Location", f"/api/uploads/{upload.upload_id}")
            )
        if urlsplit(location)[:2] != urlsplit(self.link.origin)[:2]:
            raise PatientError("server.unreadable", "the upload's location is on another server")
        return location, upload.offset_bytes

    async def _patch(self, location: str, offset: int, chunk: bytes) -> int:
        headers = _TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        async with self._request("PATCH", location, data=chunk, headers=headers) as response:
            if response.status in (409, 423) or response.status >= 500:
                raise aiohttp.ClientPayloadError("to be resumed")
            await _body(response)
            return _offset(response)

    async def _resume(self, location: str, offset: int) -> int:
        """Where the server is; the last known place while it does not answer."""
        try:
            async with self._request("HEAD", location, headers=_TUS) as response:
                return _offset(response) if response.ok else offset
        except (aiohttp.ClientError, TimeoutError):
            return offset

    async def _json(self, method: str, path: str, body: Any = None) -> Any:
        async with self._request(method, path, **({} if body is None else {"json": body})) as response:
            return await _body(response)

    def _request(self, method: str, path: str, **more: Any) -> aiohttp.client._RequestContextManager:
        headers = {**more.pop("headers", {}), "Authorization": f"Bearer {self.link.token}"}
        return self.session.request(
            method, urljoin(self.link.origin, path), headers=headers, allow_redirects=False, **more
        )


async def _body(response: aiohttp.ClientResponse) -> Any:
    """The JSON of a reply, or nothing. Raises PatientError when the server refused."""
    content = await response.json(content_type=None) if response.content_type == "application/json" else None
    if response.status in (401, 403, 410):
        raise LinkRefused(*_refusal(content))
    accepted(content)
    if not response.ok:
        raise PatientError("server.failed", f"the server answered {response.status}")
    return content


def _refusal(content: Any) -> tuple[str, str]:
    try:
        accepted(content)
    except PatientError as error:
        return error.error_id, str(error)
    return "server.failed", "the server refused"


def _offset(response: aiohttp.ClientResponse) -> int:
    try:
        return int(response.headers["Upload-Offset"])
    except (KeyError, ValueError):
        raise PatientError("server.unreadable", "no offset in the reply") from None
