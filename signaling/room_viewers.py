"""The pages that show a calibrated camera: asks what their own decoders make of it, sends each its LUT."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from colorcal.interface import Calibration
from signaling.access import Act
from signaling.background import Background
from signaling.calibrating import SeenDecoder
from signaling.color_jobs import ColorFunctions, Measured, compare, corrected
from signaling.color_workers import ColorWorkers
from signaling.errors import Refusal
from signaling.messages import PatchesRequest
from signaling.room import Room
from signaling.room_ports import Live
from signaling.rooms import Rooms
from signaling.viewing import SeenChart, Viewer, samples_of

log = structlog.get_logger()


@dataclass(slots=True)
class _Page(Viewer):
    """A connection's page."""

    has_lut: bool = False
    sending: bool = False


@dataclass(slots=True)
class _Audience:
    """Who looks at one room's camera. shown: what its LUTs are made of."""

    publication_id: str
    pages: dict[str, _Page] = field(default_factory=dict)
    """By connection."""
    chart: SeenChart | None = None
    shown: Calibration | None = None


class RoomViewers:
    """One question at a time to each page, and for each at most one comparison and one LUT in the making."""

    def __init__(self, rooms: Rooms, workers: ColorWorkers, functions: ColorFunctions, live: Live) -> None:
        self._rooms = rooms
        self._workers = workers
        self._functions = functions
        self._live = live
        self._audiences: dict[str, _Audience] = {}
        self._background = Background("viewers")

    def measured(
        self, room: Room, publication_id: str, outcome: Measured | None, shown: Calibration | None
    ) -> None:
        """A tapped frame was looked at: weigh what pages answered, and ask those that are due."""
        audience = self._audience(room, publication_id)
        audience.shown = shown
        before, chart = audience.chart, outcome.chart if outcome is not None else None
        audience.chart = chart
        for sid, page in audience.pages.items():
            if chart is None:
                page.lost()
                continue
            if page.look(before, chart) and not page.fitting:
                page.fitting = True
                self._background.spawn(self._compare(room, audience, sid, page))
            question = page.ask(before, chart)
            if question is not None:
                event = chart.event(publication_id, question)
                self._background.spawn(self._live.emit("chart", event, sid))

    def answered(self, sid: str, request: PatchesRequest) -> None:
        """What a page measured of the chart in its own picture. Raises Refusal."""
        room, _ = self._rooms.check(sid, Act.MEASURE_PICTURE)
        audience = self._audiences.get(room.consultation_id)
        page = audience.pages.get(sid) if audience is not None else None
        if audience is None or page is None or audience.publication_id != request.publication_id:
            raise Refusal("color.not_asked")
        if not page.answer(request.question, samples_of(request.patches)):
            raise Refusal("color.not_asked")

    def follow(self, room: Room) -> None:
        """The room has changed: pages come and go; whoever has not got the LUT that is out gets it."""
        audience = self._audiences.get(room.consultation_id)
        calibration = room.calibration
        if audience is None:
            return
        publication = room.publications.get(audience.publication_id)
        viewers = (
            {room.sids[one]: one for one in room.inside() if one != publication.participant_id}
            if publication is not None
            else {}
        )
        audience.pages = {sid: audience.pages.get(sid) or _Page() for sid in viewers}
        room.decoders = {one: seen for one, seen in room.decoders.items() if one in viewers.values()}
        for sid, page in audience.pages.items():
            if page.standing == "unmeasured":
                room.decoders.pop(viewers[sid], None)
        if calibration is None or calibration.sent_lut is None:
            return
        for sid, page in audience.pages.items():
            if not page.has_lut and not page.sending:
                page.has_lut = page.sending = True
                self._background.spawn(self._send(room, audience, sid, page))

    def outdated(self, room: Room) -> None:
        """A new LUT is out: nobody has it."""
        audience = self._audiences.get(room.consultation_id)
        for page in audience.pages.values() if audience is not None else ():
            page.has_lut = False

    def forget(self, room: Room) -> None:
        """Nobody looks any more, or another camera is calibrated."""
        self._audiences.pop(room.consultation_id, None)
        room.decoders = {}

    async def stop(self) -> None:
        """End what is being compared and sent."""
        await self._background.stop()

    def _audience(self, room: Room, publication_id: str) -> _Audience:
        audience = self._audiences.get(room.consultation_id)
        if audience is None or audience.publication_id != publication_id:
            self.forget(room)
            audience = self._audiences[room.consultation_id] = _Audience(publication_id)
            self.follow(room)
        return audience

    async def _compare(self, room: Room, audience: _Audience, sid: str, page: _Page) -> None:
        try:
            difference = await self._workers.run(compare, self._functions, page.readings)
        finally:
            page.fitting = False
        if audience.pages.get(sid) is not page:
            return
        was = page.standing
        if page.conclude(difference):
            page.has_lut = False
        if page.difference is None:
            self._tell(room, sid, SeenDecoder(page.standing))
        if page.standing != was:
            log.info(
                "viewer_decoder",
                consultation_id=room.consultation_id,
                standing=page.standing,
                de00=round(difference.de00, 2) if difference is not None else None,
                residual_de00=round(difference.residual_de00, 2) if difference is not None else None,
            )
        self._rooms.changed(room)

    async def _send(self, room: Room, audience: _Audience, sid: str, page: _Page) -> None:
        """The shared LUT, or one for this page's own decoder."""
        try:
            calibration, difference = room.calibration, page.difference
            own: Measured | None = None
            if difference is not None and audience.shown is not None:
                own = await self._workers.run(corrected, audience.shown, difference)
            if audience.pages.get(sid) is not page or not page.has_lut:
                return  # another is due by now
            if own is not None:
                self._tell(room, sid, SeenDecoder(page.standing, own.report))
            event = calibration.event(page.standing, own) if calibration is not None else None
            if event is not None:
                await self._live.emit("lut", event, sid)
        finally:
            page.sending = False
            if self._audiences.get(room.consultation_id) is audience:
                self._rooms.changed(room)

    def _tell(self, room: Room, sid: str, seen: SeenDecoder) -> None:
        for participant_id, one in room.sids.items():
            if one == sid:
                room.decoders[participant_id] = seen
