"""A patient's phone without a person: opens a link, waits, shows its arm, takes stills, says thanks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
import socketio
import structlog
from aiortc import MediaStreamTrack

from media.aiortc_private import set_vp8_bitrates
from media.emphasis import SKIN
from media.interface import ChromaEmphasis
from media.simulated.call import Call
from media.simulated.door import Door
from media.simulated.scene import Scene, SceneOptions
from media.simulated.shutter import Shutter
from media.simulated.tracks import RoomTone, SceneTrack
from media.simulated.wire import (
    CaptureTake,
    Link,
    LinkRefused,
    Negotiated,
    PatientError,
    State,
    accepted,
    read,
)

NAMESPACE = "/consultation"
REPLY_WITHIN_S = 20.0
RETRY_S = 1.0
VP8_START_BPS, VP8_MAX_BPS = 2_000_000, 2_500_000

_FAILURES = (PatientError, socketio.exceptions.SocketIOError, aiohttp.ClientError, TimeoutError)
_log = structlog.get_logger("simulated_patient")


@dataclass(frozen=True, slots=True)
class PatientOptions:
    """What the simulated patient shows and how it behaves.

    still_size_px: width and height of a still. language: of the consent; None takes the link's. position:
    latitude and longitude to put into stills. score, words: the answer after the consultation.
    """

    scene: SceneOptions = field(default_factory=SceneOptions)
    fps: int = 20
    still_size_px: tuple[int, int] = (4032, 3024)
    language: str | None = None
    position: tuple[float, float] | None = None
    score: int = 5
    words: str = ""


async def run(link: str, options: PatientOptions, stop: asyncio.Event) -> None:
    """Behave as a patient until the consultation has ended, the patient is refused, or stop is set.

    link: https://host/p/#TOKEN. Raises LinkRefused when the link opens nothing (any more).
    """
    async with Door(Link.parse(link)) as door:
        await _until(stop, SimulatedPatient(door, options).live())


async def _until(stop: asyncio.Event, life: Coroutine[Any, Any, None]) -> None:
    """Run life until it ends or stop is set; its errors come out."""
    living, stopping = asyncio.create_task(life), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        living.cancel()
        stopping.cancel()
        await asyncio.wait({living, stopping})
    if not living.cancelled():
        living.result()


class SimulatedPatient:
    """One life of a patient's page: a loop that follows the last `state`; whatever fails is tried again."""

    def __init__(self, door: Door, options: PatientOptions) -> None:
        self._door = door
        self._options = options
        self._socket: socketio.AsyncClient | None = None
        self._shutter: Shutter | None = None
        self._changed = asyncio.Event()
        self._state: State | None = None
        self._call_void = False
        self._asking: set[asyncio.Future[Any]] = set()
        self._call: Call | None = None

    async def live(self) -> None:
        """Join, consent, and follow the consultation to its end. Raises PatientError when it cannot begin."""
        joined = await self._door.join()
        if not joined.consent_given:
            await self._door.consent(self._options.language or joined.language)
        set_vp8_bitrates(VP8_START_BPS, VP8_MAX_BPS)
        # Painted while the patient waits, as a phone's camera is ready before the button is pressed.
        scene = asyncio.create_task(asyncio.to_thread(Scene, self._options.scene))
        shutter = Shutter(self._door, self._ask, scene, self._options.still_size_px, self._options.position)
        self._shutter = shutter
        try:
            await self._follow(scene)
        finally:
            await shutter.close()
            scene.cancel()
            await self._end_call()
            await self._hang_up()

    def _new_socket(self) -> socketio.AsyncClient:
        """A client for one connection: where one ends, its client says so before it can be used again."""
        # The loop below reconnects, also where the server closed on purpose.
        socket = socketio.AsyncClient(
            http_session=self._door.session, reconnection=False, handle_sigint=False
        )

        def listen(event: str, handler: Callable[[Any], Awaitable[None]]) -> None:
            async def handle(message: Any = None) -> None:
                if socket is self._socket:  # what an earlier connection still says is of the past
                    await handler(message)

            socket.on(event, handle, namespace=NAMESPACE)

        listen("state", self._on_state)
        listen("ended", self._on_ended)
        listen("disconnect", self._on_disconnect)
        listen("capture_take", self._on_capture_take)
        return socket

    async def _hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(socketio.exceptions.SocketIOError):
                await socket.disconnect()

    async def _on_capture_take(self, message: Any) -> None:
        with contextlib.suppress(PatientError):
            if self._shutter is not None:
                self._shutter.press(read(message, CaptureTake))

    async def _on_state(self, message: Any) -> None:
        try:
            state = read(message, State)
        except PatientError as error:
            _log.warning("state_unreadable", id=error.error_id)
            return
        # Out of the room, or a server that began anew: the relay has ended the call, whatever it looks like.
        began_anew = self._state is None and state.you.media == "none"
        self._call_void = self._call_void or began_anew or state.you.admission != "admitted"
        self._state = state
        self._changed.set()

    async def _on_ended(self, _message: Any) -> None:
        if self._state is not None:
            self._state.phase = "ended"
            self._changed.set()

    async def _on_disconnect(self, _reason: Any) -> None:
        self._state = None
        for asking in self._asking:
            asking.cancel()
        self._changed.set()

    async def _follow(self, scene: asyncio.Task[Scene]) -> None:
        """Do what the last state asks for, again and again, until there is nothing left to do."""
        while True:
            wait_s = 5 * RETRY_S
            try:
                if self._socket is None or not self._socket.connected:
                    await self._connect()
                state = self._state
                if state is not None and await self._is_over(state):
                    return
                if state is not None and state.you.admission in ("invited", "left"):
                    await self._ask("knock", {})
                elif state is not None and state.you.admission == "admitted":
                    await self._keep_call(state, await scene)
                else:
                    await self._end_call(only_if=state is not None)
            except LinkRefused:
                raise
            except _FAILURES as error:
                # The room may have moved on meanwhile: the next state, or the clock, tries again.
                _log.warning("retrying", error=type(error).__name__, id=getattr(error, "error_id", None))
                wait_s = RETRY_S
            # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            self._changed.clear()

    async def _connect(self) -> None:
        await self._door.join()
        await self._hang_up()
        self._state = None
        self._socket = socket = self._new_socket()
        await socket.connect(
            self._door.link.origin,
            auth={"token": self._door.link.token},
            namespaces=[NAMESPACE],
            transports=["websocket"],
            wait_timeout=REPLY_WITHIN_S,
        )

    async def _is_over(self, state: State) -> bool:
        """Whether nothing is left to do; says thanks at the end of a consultation."""
        if state.phase == "ended":
            if not state.satisfaction_given:
                await self._thank()
            _log.info("consultation_ended", consultation_id=state.consultation_id)
            return True
        return state.you.admission == "refused"

    async def _thank(self) -> None:
        try:
            await self._door.satisfaction(self._options.score, self._options.words)
        except PatientError as error:
            _log.warning("answer_refused", id=error.error_id)

    async def _keep_call(self, state: State, scene: Scene) -> None:
        """Have a call that works, with everything that others send."""
        # What a Publication is sent with holds for its life, so another emphasis is another call.
        emphasis = SKIN if state.emphasis_version >= SKIN.version else None
        changed = self._call is not None and self._call.emphasis != emphasis
        if self._call is not None and (self._call.failed or self._call_void or changed):
            await self._end_call()
        self._call_void = False
        if self._call is None:
            ice = await self._door.ice()
            tracks: dict[str, MediaStreamTrack] = {
                "camera": SceneTrack(scene, self._options.fps, emphasis),
                "microphone": RoomTone(self._options.scene.seed),
            }
            self._call = Call(
                tracks,
                ice.ice_servers,
                self._negotiate,
                self._changed.set,
                self._door.link.on_this_host,
                emphasis,
            )
        await self._call.subscribe(state.others())

    async def _end_call(self, only_if: bool = True) -> None:
        if only_if and self._call is not None:
            call, self._call = self._call, None
            await call.close()

    async def _negotiate(
        self,
        sdp: str,
        sources: dict[str, str],
        wanted: dict[str, str],
        emphasis: dict[str, ChromaEmphasis],
    ) -> Negotiated:
        offer = {
            "sdp": sdp,
            "publications": sources,
            "subscriptions": wanted,
            "emphasis": {mid: asdict(one) for mid, one in emphasis.items()},
        }
        return read(await self._ask("negotiate", offer), Negotiated)

    async def _ask(self, event: str, message: dict[str, Any]) -> Any:
        """Send an event and wait for its acknowledgement. Raises PatientError when it is a refusal."""
        if self._socket is None:
            raise PatientError("socket.dropped", "there is no connection")
        asking = asyncio.ensure_future(
            self._socket.call(event, message, namespace=NAMESPACE, timeout=REPLY_WITHIN_S)
        )
        self._asking.add(asking)
        try:
            await asyncio.wait({asking})
        finally:
            self._asking.discard(asking)
            asking.cancel()
        if asking.cancelled():
            raise PatientError("socket.dropped", "the connection broke before the answer came")
        return accepted(asking.result())
