"""The media worker: every room and participant on one UDP socket. The shell around the cores: it reads the
clock and the socket, and decides nothing that they can decide."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from media import answer, native
from media.addresses import announced, host_addresses
from media.aiortc_private import WorkerCertificate
from media.demultiplexer import Demultiplexer
from media.emphasis import is_undoable
from media.ice_lite import new_credentials
from media.interface import (
    ChromaEmphasis,
    EmphasisRefused,
    Fidelity,
    Kind,
    MediaConfig,
    MediaEvent,
    Negotiation,
    PathStats,
    PublicationAdded,
    PublicationInfo,
    PublicationStats,
    RelayStats,
    Source,
    SubscriptionStats,
    TappedFrame,
    TransportChanged,
    TransportState,
    UnknownPublication,
)
from media.layers import LayerTarget
from media.native.engine import NativePath
from media.packet_path import PacketPath
from media.participant import Participant
from media.rooms import Rooms
from media.sdp import parse
from media.transport import Transport
from media.udp import UdpSocket
from media.watch import Watch

log = logging.getLogger(__name__)

TICK_S = 0.02
CALM_TICK_S = 0.102
"""While nothing hurries: a little longer than 0.1 s, after which most things are due, so that a tick finds
them due."""
BUDGETS_S = 0.1
"""How often publishers are told, at most, what their viewers can take."""
LIVENESS_S = 0.1
ABANDONED_AFTER_S = 60.0
"""A transport that never connects, or stays silent, is closed after this time."""


class MediaWorker:
    """Implements media.interface.Relay."""

    def __init__(self, config: MediaConfig, udp: UdpSocket, path: PacketPath) -> None:
        """Use `start`."""
        self._config = config
        self._udp = udp
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._certificate: WorkerCertificate = WorkerCertificate.generateCertificate()
        self._rooms = Rooms(self._emit, path)
        self._incoming = Demultiplexer(udp, self._rooms.participants, self._deliver, path.addresses())
        self._listeners: list[Callable[[MediaEvent], None]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._ticked_at_s = self._liveness_at_s = self._budgets_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tick_at_s = 0.0
        self._stopped = False

    @classmethod
    async def start(cls, config: MediaConfig) -> MediaWorker:
        """Bind the port and serve. Raises OSError when the port is taken, ValueError for a bad address."""
        announced(config.bind_host, config.announced_addresses, (), True, None)
        udp = UdpSocket(config.bind_host, config.port)
        carried_in_c = config.native and native.why_not() is None
        path = NativePath(udp) if carried_in_c else PacketPath()
        worker = cls(config, udp, path)
        path.start(worker._loop, udp, worker._incoming)
        worker._tick()
        return worker

    @property
    def port(self) -> int:
        """The UDP port in use."""
        return self._udp.port

    @property
    def native(self) -> bool:
        """Whether ordinary packets go through C."""
        return isinstance(self._path, NativePath)

    def subscribe_events(self, listener: Callable[[MediaEvent], None]) -> None:
        """Call listener at every event from now on."""
        self._listeners.append(listener)

    async def negotiate(
        self,
        room_id: str,
        participant_id: str,
        sdp: str,
        publications: Mapping[str, Source],
        subscriptions: Mapping[str, str],
        remote_hint: str | None = None,
        emphasis: Mapping[str, ChromaEmphasis] = MappingProxyType({}),
        *,
        is_patient: bool = False,
    ) -> Negotiation:
        """Answer an offer; see Relay. Raises SdpRefused, UnknownPublication, EmphasisRefused; nothing has
        changed then."""
        with self._path.held():
            return self._negotiate(
                room_id,
                participant_id,
                sdp,
                publications,
                subscriptions,
                remote_hint,
                emphasis,
                is_patient=is_patient,
            )

    def _negotiate(
        self,
        room_id: str,
        participant_id: str,
        sdp: str,
        publications: Mapping[str, Source],
        subscriptions: Mapping[str, str],
        remote_hint: str | None,
        emphasis: Mapping[str, ChromaEmphasis],
        *,
        is_patient: bool,
    ) -> Negotiation:
        wanted = {mid: self._rooms.find(room_id, identity) for mid, identity in subscriptions.items()}
        kinds = {m: Kind.AUDIO if s is Source.MICROPHONE else Kind.VIDEO for m, s in publications.items()}
        if any(kinds.get(m) is not Kind.VIDEO or not is_undoable(e) for m, e in emphasis.items()):
            raise EmphasisRefused("no video m-line, or an unknown way to stretch chroma")
        codecs = {mid: fanout.publication.codec for mid, fanout in wanted.items()}
        plan = answer.plan(parse(sdp), kinds, codecs)
        now = time.monotonic()
        participant = self._connection(room_id, participant_id, plan, now)
        self._rooms.publish(participant, plan, publications, emphasis, is_patient=is_patient)
        outgoing = self._rooms.subscribe(participant, plan, wanted)
        participant.path.reduced_size = plan.rtcp_reduced_size
        participant.route(plan)
        participant.follow_transport(now)
        participant.version += 1
        self._hurry()
        infos = tuple(participant.sending[mid].publication.info for mid in publications)
        return Negotiation(answer.write(plan, outgoing, self._local(participant, remote_hint)), infos)

    async def leave(self, room_id: str, participant_id: str) -> None:
        """End a participant's transport, Publications and Subscriptions."""
        participant = self._rooms.participants.get((room_id, participant_id))
        if participant is not None:
            with self._path.held():
                self._remove(participant)

    async def close_room(self, room_id: str) -> None:
        """End every transport of a room."""
        with self._path.held():
            for participant in [p for p in self._rooms.participants.values() if p.room_id == room_id]:
                self._remove(participant)

    def publications(self, room_id: str) -> tuple[PublicationInfo, ...]:
        """Publications of a room that have begun."""
        infos = (f.publication.info for f in self._rooms.fanouts.values() if f.announced)
        return tuple(info for info in infos if info.room_id == room_id)

    def set_cap(self, publication_id: str, bitrate_bps: int | None) -> None:
        """Cap what a publisher may send; None lifts the cap to the configured one."""
        fanout = self._rooms.fanouts.get(publication_id)
        if fanout is None:
            return
        fanout.publication.set_cap(bitrate_bps)
        self._hurry()
        info = fanout.publication.info
        self._rooms.participants[info.room_id, info.participant_id].cap_changed()

    def set_layer(self, room_id: str, participant_id: str, publication_id: str, target: LayerTarget) -> None:
        """What one viewer should get of a Publication at most. Raises UnknownPublication."""
        participant = self._rooms.participants.get((room_id, participant_id))
        with self._path.held():
            if participant is None or not participant.viewer.set_layer(publication_id, target):
                raise UnknownPublication("the participant does not receive this Publication")
        self._hurry()

    def watch(self, publication_id: str, listener: Callable[[TappedFrame], None]) -> Callable[[], None]:
        """Tap a video Publication; returns the function that ends the watch. Raises UnknownPublication."""
        fanout = self._rooms.fanouts.get(publication_id)
        if fanout is None or not fanout.publication.is_video:
            raise UnknownPublication("no video Publication has this id")
        if fanout.watch is None:
            interval_s = self._config.tap_interval_s
            now = time.monotonic()
            with self._path.held():
                fanout.watch = Watch(
                    fanout.publication, interval_s, self._loop, partial(self._held, fanout.end_watch), now
                )
            self._hurry()
        return fanout.watch.add(listener)

    def best_frame(self, publication_id: str) -> TappedFrame | None:
        """The sharpest frame tapped in the last two seconds, or None when nothing watches."""
        fanout = self._rooms.fanouts.get(publication_id)
        if fanout is None or fanout.watch is None:
            return None
        return fanout.watch.best(time.monotonic())

    def publication_stats(self, publication_id: str) -> PublicationStats | None:
        """Counters of one Publication, or None."""
        fanout = self._rooms.fanouts.get(publication_id)
        with self._path.held():
            return fanout.publication.stats() if fanout is not None else None

    def subscription_stats(self, room_id: str, participant_id: str) -> tuple[SubscriptionStats, ...]:
        """What a participant is given of each Publication that it receives; () where there is none."""
        participant = self._rooms.participants.get((room_id, participant_id))
        received = participant.receiving.values() if participant is not None else ()
        with self._path.held():
            return tuple(receiving.delivery.stats() for receiving in received)

    def path_stats(self, room_id: str, participant_id: str) -> PathStats | None:
        """A participant's path towards it, or None."""
        participant = self._rooms.participants.get((room_id, participant_id))
        return participant.viewer.path.stats() if participant is not None else None

    def fidelity(self, publication_id: str) -> Fidelity | None:
        """How far a video Publication's picture may be trusted now, or None."""
        fanout = self._rooms.fanouts.get(publication_id)
        if fanout is None or not fanout.publication.is_video:
            return None
        publication = fanout.publication
        with self._path.held():
            return fanout.fidelity.observe(publication.info, publication.stats(), time.monotonic())

    def stats(self) -> RelayStats:
        """Counters of the worker."""
        with self._path.held():
            sent, refused = self._rooms.packets()
            dropped = dict(self._incoming.dropped)
            if refused:
                dropped["not_sent"] = refused
            participants, received = len(self._rooms.participants), self._incoming.received
            return RelayStats(participants, received, sent, dropped, *self._rooms.losses())

    async def stop(self) -> None:
        """Close the port and everything on it."""
        if self._stopped:
            return
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        with self._path.held():
            for participant in list(self._rooms.participants.values()):
                self._remove(participant)
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        self._path.close()
        self._udp.close()

    def _connection(self, room_id: str, participant_id: str, plan: answer.Plan, now: float) -> Participant:
        """The participant's connection: the one it has, with new ICE credentials at a restart, or another."""
        key = (room_id, participant_id)
        remote_ice = (plan.ufrag, plan.password)
        participant = self._rooms.participants.get(key)
        if participant is not None and participant.transport.fingerprints != plan.fingerprints:
            self._remove(participant)
            participant = None
        if participant is None:
            participant = Participant(
                room_id,
                participant_id,
                self._config.max_publication_bps,
                self._later,
                path=self._path.peer(),
                hurry=self._hurry,
            )
            self._rooms.participants[key] = participant
            participant.transport = Transport(
                self._certificate,
                plan.fingerprints,
                participant.path,
                self._incoming.sender(participant),
                lambda _: self._transport_changed(participant),
                now,
            )
            self._emit(TransportChanged(room_id, participant_id, TransportState.CONNECTING))
        if participant.remote_ice != remote_ice:
            participant.remote_ice = remote_ice
            participant.credentials = new_credentials()
            self._incoming.ice.add(participant, participant.credentials, now)
        return participant

    def _local(self, participant: Participant, remote_hint: str | None) -> answer.Local:
        """This side as the answer shows it."""
        addresses = announced(
            self._config.bind_host,
            self._config.announced_addresses,
            host_addresses(),
            self._udp.has_ipv6,
            remote_hint,
        )
        return answer.Local(
            session_id=participant.session_id,
            version=participant.version,
            credentials=participant.credentials,
            fingerprint=("sha-256", self._certificate.sha256),
            candidates=tuple((address, self.port) for address in addresses),
            start_bitrate_bps=self._config.start_publication_bps,
            max_bitrate_bps=self._config.max_publication_bps,
        )

    def _deliver(self, participant: Participant, plain: bytes, control: bool, arrived_s: float) -> str | None:
        """An authenticated packet came; why it was dropped, or None."""
        if control:
            return participant.receive_rtcp(plain, arrived_s)
        result = participant.receive_rtp(plain, arrived_s)
        if isinstance(result, list):
            for fanout in result:
                self._emit(PublicationAdded(fanout.publication.info))
            return None
        return result

    def _later(self, delay_s: float, call: Callable[[], None]) -> object:
        return self._loop.call_later(delay_s, self._held, call)

    def _held(self, call: Callable[[], None]) -> None:
        """What a timer or a listener calls, with packets held back."""
        with self._path.held():
            call()

    def _tick(self) -> None:
        self._tick_in(TICK_S)
        self._held(self._pass_time)

    def _tick_in(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._tick_at_s = time.monotonic() + delay_s
        self._timer = self._loop.call_later(delay_s, self._tick)

    def _hurry(self) -> None:
        """Something is to be said soon."""
        if self._tick_at_s - time.monotonic() > TICK_S and not self._stopped:
            self._tick_in(TICK_S)

    def _pass_time(self) -> None:
        now = time.monotonic()
        self._incoming.pass_time(now, now - self._ticked_at_s)
        self._ticked_at_s = now
        participants = list(self._rooms.participants.values())
        budget_fell = False
        for participant in participants:
            if participant.viewer.path.is_due(now):
                self._incoming.read_held(participant)
            participant.tick(now)
            budget_fell |= participant.viewer.budget_fell
        if now - self._liveness_at_s >= LIVENESS_S:
            self._liveness_at_s = now
            for participant in participants:
                self._check_liveness(participant, now)
                participant.viewer.observe(now)
        if budget_fell or now - self._budgets_at_s >= BUDGETS_S:
            self._budgets_at_s = now
            self._rooms.refresh_budgets()
        if not any(participant.hurries for participant in participants):
            self._tick_in(CALM_TICK_S)

    def _check_liveness(self, participant: Participant, now: float) -> None:
        seen_s = max(self._incoming.ice.last_seen_s(participant), participant.path.last_media_s)
        transport = participant.transport
        transport.set_silent(now - seen_s > self._config.silent_after_s)
        connecting = transport.state is TransportState.CONNECTING
        since_s = transport.created_at_s if connecting else seen_s
        if now - since_s > ABANDONED_AFTER_S:
            self._remove(participant)

    def _transport_changed(self, participant: Participant) -> None:
        state = participant.transport.state
        with self._path.held():
            if state is TransportState.CLOSED:
                self._remove(participant)
                return
            participant.follow_transport(time.monotonic())
        self._hurry()
        self._emit(TransportChanged(participant.room_id, participant.participant_id, state))

    def _remove(self, participant: Participant) -> None:
        """Forget a participant at once; its DTLS goodbye is sent in the background."""
        if self._rooms.participants.get((participant.room_id, participant.participant_id)) is not participant:
            return  # the end of a transport that was removed already
        self._incoming.ice.remove(participant)
        self._rooms.remove(participant)
        self._in_background(participant.transport.close())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _emit(self, event: MediaEvent) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:
                # A listener's fault must not leave a transport half removed.
                log.exception("a listener failed at %s", type(event).__name__)
