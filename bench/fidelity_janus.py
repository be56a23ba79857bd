"""Janus between two pages, for `./dev bench fidelity`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from bench.load import namespace
from bench.relays.interface import ANSWER_S, CannotRun
from bench.relays.janus import Janus
from media.addresses import host_addresses


class BetweenPages(Janus):
    """Janus with publishers and viewers that answer in their own time: pages of a browser."""

    def __init__(self) -> None:
        super().__init__()
        self._rooms = 0

    async def connect(self, sender: Page, viewer: Page, order: dict[str, Any]) -> None:
        """A room of its own for each connection."""
        self._rooms += 1
        room = 1000 + self._rooms
        publishing = await self._attach()
        cap_bps = 2_500_000
        create = {"request": "create", "room": room, "publishers": 1, "bitrate": cap_bps, "videocodec": "vp8"}
        await self._ask(janus="message", handle_id=publishing, body=create)
        join: dict[str, Any] = {"request": "join", "ptype": "publisher", "room": room}
        joined = await self._ask(janus="message", handle_id=publishing, body=join)
        feed = joined["plugindata"]["data"]["id"]
        offer = await sender.evaluate("(order) => bench.offer(order)", order)
        answer = await self._ask(
            janus="message",
            handle_id=publishing,
            body={"request": "publish"},
            jsep={"type": "offer", "sdp": offer},
        )
        await sender.evaluate("(sdp) => bench.accept(sdp)", answer["jsep"]["sdp"])
        viewing = await self._attach()
        join = {"request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed}]}
        offered = await self._once_it_sends(viewing, join)
        answered = await viewer.evaluate("(sdp) => bench.answer(sdp)", offered["jsep"]["sdp"])
        await self._ask(
            janus="message",
            handle_id=viewing,
            body={"request": "start"},
            jsep={"type": "answer", "sdp": answered},
        )

    async def _once_it_sends(self, handle: int, join: dict[str, Any]) -> dict[str, Any]:
        """Join as a subscriber; Janus knows no feed before its publisher's connection stands."""
        async with asyncio.timeout(ANSWER_S):
            while True:
                try:
                    return await self._ask(janus="message", handle_id=handle, body=join)
                except RuntimeError as refused:
                    if "No such feed" not in str(refused):
                        raise
                    await asyncio.sleep(0.1)


@asynccontextmanager
async def janus(folder: Path) -> AsyncIterator[BetweenPages]:
    """Janus on an address of this host that is not loopback's. Raises CannotRun."""
    await asyncio.to_thread(folder.mkdir)
    running = BetweenPages()
    await running.start(folder, namespace.HOST if namespace.inside() else _address())
    try:
        yield running
    finally:
        await running.stop()


def _address() -> str:
    for one in host_addresses():
        if one.version == 4 and not one.is_loopback:
            return str(one)
    raise CannotRun("Janus needs an address that is not loopback's, and this host has none")
