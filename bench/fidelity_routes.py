"""Ways from a sending page to a viewing page for `./dev bench fidelity`: our relay, or straight."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web
from playwright.async_api import Page

from bench.fidelity_score import Decoded
from media.interface import MediaConfig, Source
from media.worker import MediaWorker

ROOT = Path(__file__).resolve().parent.parent


class Route(Protocol):
    """Connects a sending page (which gives an offer) with a viewing page."""

    async def connect(self, sender: Page, viewer: Page, order: dict[str, Any]) -> None:
        """Return when both have their descriptions; media may still be on its way."""


class PageToPage:
    """A peer connection straight from page to page."""

    async def connect(self, sender: Page, viewer: Page, order: dict[str, Any]) -> None:
        """Offer, answer, done."""
        offer = await sender.evaluate("(order) => bench.offer(order)", order)
        answer = await viewer.evaluate("(sdp) => bench.answer(sdp)", offer)
        await sender.evaluate("(sdp) => bench.accept(sdp)", answer)


class Relayed:
    """Through our relay: the sender publishes, then the viewer subscribes. through: see LossyPath."""

    def __init__(self, worker: MediaWorker, through_port: int | None = None) -> None:
        self._worker = worker
        self._through_port = through_port
        self._rooms = 0

    async def connect(self, sender: Page, viewer: Page, order: dict[str, Any]) -> None:
        """Two negotiations, as two participants have them."""
        self._rooms += 1
        room = f"room{self._rooms}"
        offer = await sender.evaluate("(order) => bench.offer(order)", order)
        sent = await self._worker.negotiate(room, "sender", offer, {"0": Source.CAMERA}, {}, "127.0.0.1")
        await sender.evaluate("(sdp) => bench.accept(sdp)", sent.sdp)
        publication_id = sent.publications[0].publication_id
        wish = await viewer.evaluate("() => bench.wish()")
        got = await self._worker.negotiate(room, "viewer", wish, {}, {"0": publication_id}, "127.0.0.1")
        sdp = got.sdp
        if self._through_port is not None:
            sdp = sdp.replace(f" {self._worker.port} typ host", f" {self._through_port} typ host")
        await viewer.evaluate("(sdp) => bench.accept(sdp)", sdp)


@dataclass
class Inbox:
    """What the pages posted since it was last emptied."""

    frames: list[Decoded] = field(default_factory=list)
    stills: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def pages(folder: Path) -> AsyncIterator[tuple[str, Inbox]]:
    """Build the bench's pages with the product's own modules, serve them; yields address and inbox."""
    built = folder / "page"
    node = shutil.which("node")
    if node is None:
        raise FileNotFoundError("node is not installed; ./dev bench brings it")
    vite = ROOT / "consult_ui" / "node_modules" / "vite" / "bin" / "vite.js"
    source = ROOT / "bench" / "fidelity_page"
    command = [node, str(vite), "build", str(source), "--outDir", str(built), "--base", "./"]
    command += ["--emptyOutDir", "--logLevel", "warn"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT / "consult_ui")
    if await process.wait():
        raise RuntimeError("the bench's pages could not be built")
    inbox = Inbox()

    async def frame(request: web.Request) -> web.Response:
        width, height = (int(request.query[name]) for name in ("width", "height"))
        inbox.frames.append(Decoded(width, height, await request.read()))
        return web.Response()

    async def still(request: web.Request) -> web.Response:
        inbox.stills.append(await request.read())
        return web.Response()

    app = web.Application(client_max_size=64_000_000)
    app.router.add_post("/frame", frame)
    app.router.add_post("/still", still)
    app.router.add_get("/", lambda _: _file(built / "index.html"))
    app.router.add_static("/", built)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", inbox
    finally:
        await runner.cleanup()


async def _file(path: Path) -> web.FileResponse:
    return web.FileResponse(path)


@asynccontextmanager
async def relay(max_bps: int = 2_500_000) -> AsyncIterator[MediaWorker]:
    """Our media worker on loopback."""
    worker = await MediaWorker.start(MediaConfig(bind_host="127.0.0.1", max_publication_bps=max_bps))
    try:
        yield worker
    finally:
        await worker.stop()


class LossyPath:
    """A UDP relay on loopback that loses a part of what goes to the viewer, by a seeded draw."""

    def __init__(self, target_port: int, loss: float, seed: int) -> None:
        self._target = ("127.0.0.1", target_port)
        self._loss = loss
        self._random = random.Random(seed)
        self._server: asyncio.DatagramTransport
        self._behind: dict[tuple[str, int], asyncio.Task[asyncio.DatagramTransport]] = {}

    @classmethod
    @asynccontextmanager
    async def to(cls, target_port: int, loss: float, seed: int = 1) -> AsyncIterator[LossyPath]:
        """Serve until the block ends."""
        path = cls(target_port, loss, seed)
        loop = asyncio.get_running_loop()
        path._server, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(path._from_viewer), ("127.0.0.1", 0)
        )
        try:
            yield path
        finally:
            path._server.close()
            for behind in path._behind.values():
                (await behind).close()

    @property
    def port(self) -> int:
        """Where viewers send to instead."""
        return int(self._server.get_extra_info("sockname")[1])

    def _from_viewer(self, data: bytes, viewer: tuple[str, int]) -> None:
        if viewer not in self._behind:
            self._behind[viewer] = asyncio.ensure_future(self._open(viewer))
        self._behind[viewer].add_done_callback(lambda opened: opened.result().sendto(data, self._target))

    async def _open(self, viewer: tuple[str, int]) -> asyncio.DatagramTransport:
        def to_viewer(data: bytes, _: tuple[str, int]) -> None:
            # RTP and RTCP begin with version 2; what sets a connection up gets through.
            if data[0] >> 6 != 2 or self._random.random() >= self._loss:
                self._server.sendto(data, viewer)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(to_viewer), ("127.0.0.1", 0))
        return transport


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._received(data, (str(addr[0]), addr[1]))
