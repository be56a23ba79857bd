"""A small WebDriver BiDi client (W3C) over a web socket: commands, their replies, nothing else."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Mapping
from typing import Any

import aiohttp

MAX_MESSAGE_BYTES = 64 * 2**20
COMMAND_TIMEOUT_S = 90


class BidiError(RuntimeError):
    """The browser refused a command, or a script threw."""


class BidiSession:
    """One connection to a browser. `errors`: what its pages threw or logged as an error."""

    def __init__(self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.errors: list[str] = []
        self._http = http
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, url: str) -> BidiSession:
        """Connect to a browser's address, and begin a session."""
        http = aiohttp.ClientSession()
        try:
            socket = await http.ws_connect(f"{url}/session", max_msg_size=MAX_MESSAGE_BYTES)
        except BaseException:
            await http.close()
            raise
        session = cls(http, socket)
        await session.command("session.new", {"capabilities": {}})
        await session.command("session.subscribe", {"events": ["log.entryAdded"]})
        return session

    async def command(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Send a command and give its result. Raises BidiError."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": dict(parameters)})
        return await asyncio.wait_for(future, COMMAND_TIMEOUT_S)

    async def close(self) -> None:
        """End the session; the browser stays."""
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()
        await self._http.close()

    async def _read(self) -> None:
        async for message in self._socket:
            content = json.loads(message.data)
            if content.get("method") == "log.entryAdded":
                entry = content["params"]
                if entry["level"] == "error":
                    self.errors.append(str(entry["text"]))
                continue
            future = self._waiting.pop(content.get("id"), None)
            if future is None or future.done():
                continue
            if content["type"] == "error":
                future.set_exception(BidiError(f"{content['error']}: {content['message']}"))
            else:
                future.set_result(content["result"])
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(BidiError("the browser has closed the connection"))


class BidiPage:
    """One tab, with the part of Playwright's page that the tests use."""

    def __init__(self, session: BidiSession, context: str) -> None:
        self._session = session
        self._context = context

    @classmethod
    async def open(cls, session: BidiSession) -> BidiPage:
        """A new, empty tab."""
        made = await session.command("browsingContext.create", {"type": "tab"})
        return cls(session, made["context"])

    async def goto(self, url: str) -> None:
        """Load an address, until the page has loaded."""
        await self._session.command(
            "browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"}
        )

    async def evaluate(self, expression: str, argument: object = None) -> Any:
        """The value, as JSON, of an expression, or of a function called with the argument; promises are
        awaited."""
        function = f"""async (given) => {{
          const value = ({expression});
          const result = await (typeof value === 'function' ? value(JSON.parse(given)) : value);
          return JSON.stringify(result ?? null);
        }}"""
        answer = await self._session.command(
            "script.callFunction",
            {
                "functionDeclaration": function,
                "awaitPromise": True,
                "target": {"context": self._context},
                "arguments": [{"type": "string", "value": json.dumps(argument)}],
                "userActivation": True,
            },
        )
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def close(self) -> None:
        """Close the tab."""
        await self._session.command("browsingContext.close", {"context": self._context})
