"""The media worker: every room and participant on one UDP socket. The shell around the cores: it reads the
clock and the socket, and decides nothing that they can decide."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from media import answer
from media.addresses import announced, host_addresses
from media.aiortc_private import WorkerCertificate
from media.fanout import Fanout
from media.ice_lite import Address, IceLite, StunOutcome, new_credentials
from media.interface import (
    Kind,
    MediaConfig,
    MediaEvent,
    Negotiation,
    PublicationAdded,
    PublicationEnded,
    PublicationInfo,
    PublicationStats,
    RelayStats,
    Source,
    TappedFrame,
    TransportChanged,
    TransportState,
    UnknownPublication,
)
from media.participant import Participant, Receiving
from media.publication import Publication
from media.rtp import MID_URI, extension_block, is_rtcp
from media.sdp import parse
from media.subscription import Subscription
from media.tap import Tap
from media.transport import Transport
from media.udp import Ancillary, UdpSocket

log = logging.getLogger(__name__)

TICK_S = 0.02
ABANDONED_AFTER_S = 60.0
"""A transport that never connects, or stays silent, is closed after this time."""
REBIND_TRIES_PER_S = 50


class MediaWorker:
    """Implements media.interface.Relay."""

    def __init__(self, config: MediaConfig, udp: UdpSocket) -> None:
        """Use `start`."""
        self._config = config
        self._udp = udp
        self._loop = asyncio.get_running_loop()
        self._certificate: WorkerCertificate = WorkerCertificate.generateCertificate()
        self._ice: IceLite[Participant] = IceLite()
        self._participants: dict[tuple[str, str], Participant] = {}
        self._fanouts: dict[str, Fanout] = {}
        self._listeners: list[Callable[[MediaEvent], None]] = []
        self._watchers: dict[str, list[Callable[[TappedFrame], None]]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._received = 0
        self._sent = 0
        self._dropped: Counter[str] = Counter()
        self._rebind_tries = 0.0
        self._ticked_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    @classmethod
    async def start(cls, config: MediaConfig) -> MediaWorker:
        """Bind the port and serve. Raises OSError when the port is taken, ValueError for a bad address."""
        announced(config.bind_host, config.announced_addresses, (), True, None)
        udp = UdpSocket(config.bind_host, config.port)
        worker = cls(config, udp)
        udp.start(worker._loop, worker._datagram)
        worker._tick()
        return worker

    # --- the Relay Protocol -----------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The UDP port in use."""
        return self._udp.port

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
    ) -> Negotiation:
        """Answer an offer; see Relay. Raises SdpRefused, UnknownPublication; nothing has changed then."""
        wanted: dict[str, Fanout] = {}
        for mid, publication_id in subscriptions.items():
            fanout = self._fanouts.get(publication_id)
            if fanout is None or fanout.publication.info.room_id != room_id:
                raise UnknownPublication(f"m-line {mid} names a Publication that is not in this room")
            wanted[mid] = fanout
        plan = self._plan(sdp, publications, wanted)
        now = time.monotonic()
        participant = self._connection(room_id, participant_id, plan, now)
        extensions: dict[str, int] = {}
        for planned in plan.sections:
            extensions.update(planned.extensions)
        self._apply_publications(participant, plan, publications)
        outgoing = self._apply_subscriptions(participant, plan, wanted)
        sections = {mid: plan.by_mid(mid).section for mid in participant.sending}
        participant.reduced_size = plan.rtcp_reduced_size
        participant.route(extensions, sections)
        participant.follow_transport()
        participant.version += 1
        addresses = announced(
            self._config.bind_host,
            self._config.announced_addresses,
            host_addresses(),
            ":" in self._config.bind_host,
            remote_hint,
        )
        local = answer.Local(
            session_id=participant.session_id,
            version=participant.version,
            credentials=participant.credentials,
            fingerprint=("sha-256", self._certificate.sha256),
            candidates=tuple((address, self.port) for address in addresses),
            start_bitrate_bps=self._config.start_publication_bps,
            max_bitrate_bps=self._config.max_publication_bps,
        )
        infos = tuple(participant.sending[mid].publication.info for mid in publications)
        return Negotiation(answer.write(plan, outgoing, local), infos)

    async def leave(self, room_id: str, participant_id: str) -> None:
        """End a participant's transport, Publications and Subscriptions."""
        participant = self._participants.get((room_id, participant_id))
        if participant is not None:
            self._remove(participant)

    async def close_room(self, room_id: str) -> None:
        """End every transport of a room."""
        for participant in [p for p in self._participants.values() if p.room_id == room_id]:
            self._remove(participant)

    def publications(self, room_id: str) -> tuple[PublicationInfo, ...]:
        """Publications of a room that have begun."""
        infos = (f.publication.info for f in self._fanouts.values() if f.announced)
        return tuple(info for info in infos if info.room_id == room_id)

    def set_cap(self, publication_id: str, bitrate_bps: int | None) -> None:
        """Cap what a publisher may send; None lifts the cap to the configured one."""
        fanout = self._fanouts.get(publication_id)
        if fanout is None:
            return
        fanout.publication.cap_bps = None if bitrate_bps is None else max(30_000, bitrate_bps)
        info = fanout.publication.info
        self._participants[info.room_id, info.participant_id].cap_changed()

    def watch(self, publication_id: str, listener: Callable[[TappedFrame], None]) -> Callable[[], None]:
        """Tap a video Publication; returns the function that ends the watch. Raises UnknownPublication."""
        fanout = self._fanouts.get(publication_id)
        if fanout is None or not fanout.publication.is_video:
            raise UnknownPublication("no video Publication has this id")
        watchers = self._watchers.setdefault(publication_id, [])
        watchers.append(listener)
        if fanout.tap is None:
            publication = fanout.publication
            fanout.tap = Tap(
                publication_id,
                publication.codec.name,
                self._config.tap_interval_s,
                self._loop,
                lambda frame: self._tapped(publication_id, frame),
                publication.keyframes.want,
            )
            publication.keyframes.want()

        ended = False

        def end() -> None:
            nonlocal ended
            if not ended and listener in watchers:
                watchers.remove(listener)
            ended = True
            if not watchers and self._watchers.get(publication_id) is watchers:
                self._end_tap(fanout)

        return end

    def best_frame(self, publication_id: str) -> TappedFrame | None:
        """The sharpest frame tapped in the last two seconds, or None when nothing watches."""
        fanout = self._fanouts.get(publication_id)
        return fanout.tap.best(time.monotonic()) if fanout is not None and fanout.tap is not None else None

    def publication_stats(self, publication_id: str) -> PublicationStats | None:
        """Counters of one Publication, or None."""
        fanout = self._fanouts.get(publication_id)
        return fanout.publication.stats() if fanout is not None else None

    def stats(self) -> RelayStats:
        """Counters of the worker."""
        dropped = self._dropped.copy()
        sent = self._sent
        for fanout in self._fanouts.values():
            sent += fanout.packets_sent
            dropped["not_sent"] += fanout.packets_refused
        counted = {reason: count for reason, count in dropped.items() if count}
        return RelayStats(len(self._participants), self._received, sent, counted)

    async def stop(self) -> None:
        """Close the port and everything on it."""
        if self._stopped:
            return
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        for participant in list(self._participants.values()):
            self._remove(participant)
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        self._udp.close()

    # --- negotiation ------------------------------------------------------------------------------------

    def _plan(
        self, text: str, publications: Mapping[str, Source], wanted: Mapping[str, Fanout]
    ) -> answer.Plan:
        kinds = {m: Kind.AUDIO if s is Source.MICROPHONE else Kind.VIDEO for m, s in publications.items()}
        codecs = {mid: fanout.publication.codec for mid, fanout in wanted.items()}
        return answer.plan(parse(text), kinds, codecs)

    def _connection(self, room_id: str, participant_id: str, plan: answer.Plan, now: float) -> Participant:
        """The participant's connection: the one it has, with new ICE credentials at a restart, or another."""
        key = (room_id, participant_id)
        remote_ice = (plan.ufrag, plan.password)
        participant = self._participants.get(key)
        if participant is not None and participant.transport.fingerprints != plan.fingerprints:
            self._remove(participant)
            participant = None
        if participant is None:
            participant = Participant(room_id, participant_id, self._config.max_publication_bps)
            self._participants[key] = participant
            participant.transport = Transport(
                self._certificate,
                plan.fingerprints,
                self._sender(participant),
                lambda _: self._transport_changed(participant),
                now,
            )
            self._emit(TransportChanged(room_id, participant_id, TransportState.CONNECTING))
        if participant.remote_ice != remote_ice:
            participant.remote_ice = remote_ice
            participant.credentials = new_credentials()
            self._ice.add(participant, participant.credentials, now)
        return participant

    def _apply_publications(
        self, participant: Participant, plan: answer.Plan, sources: Mapping[str, Source]
    ) -> None:
        for mid, fanout in list(participant.sending.items()):
            info, codec = fanout.publication.info, fanout.publication.codec
            if mid not in sources or info.source != sources[mid] or codec != plan.by_mid(mid).codec:
                del participant.sending[mid]
                self._end_publication(fanout)
        for mid, source in sources.items():
            chosen = plan.by_mid(mid).codec
            if mid in participant.sending or chosen is None:
                continue
            info = PublicationInfo(
                publication_id=secrets.token_urlsafe(12),
                room_id=participant.room_id,
                participant_id=participant.participant_id,
                kind=Kind.AUDIO if source is Source.MICROPHONE else Kind.VIDEO,
                source=source,
                codec=chosen.name,
            )
            fanout = Fanout(Publication(info, chosen, participant.feedback_ssrc))
            participant.sending[mid] = self._fanouts[info.publication_id] = fanout

    def _apply_subscriptions(
        self, participant: Participant, plan: answer.Plan, wanted: Mapping[str, Fanout]
    ) -> dict[str, answer.Outgoing]:
        for mid, receiving in list(participant.receiving.items()):
            if mid not in wanted or plan.by_mid(mid).codec != receiving.subscription.codec:
                receiving.fanout.remove(receiving.subscription)
                del participant.receiving[mid]
        outgoing: dict[str, answer.Outgoing] = {}
        for mid, fanout in wanted.items():
            planned = plan.by_mid(mid)
            if planned.codec is None:
                continue
            current = participant.receiving.get(mid)
            if current is None:
                subscription = _new_subscription(fanout.publication, planned, planned.codec)
                current = participant.receiving[mid] = Receiving(subscription, fanout)
                fanout.add(subscription, participant.transport.send_rtp, participant.transport.send_rtcp)
            elif current.fanout is not fanout:
                current.fanout.remove(current.subscription)
                current.fanout = fanout
                current.subscription.attach(fanout.publication)
                fanout.add(
                    current.subscription, participant.transport.send_rtp, participant.transport.send_rtcp
                )
            info = fanout.publication.info
            # Camera and microphone share a stream, so that the browser keeps lips and voice together.
            stream_id = info.participant_id + ("-screen" if info.source is Source.SCREEN else "")
            subscription = current.subscription
            outgoing[mid] = answer.Outgoing(
                stream_id, info.publication_id, info.participant_id, subscription.ssrc, subscription.rtx_ssrc
            )
        return outgoing

    # --- ends -------------------------------------------------------------------------------------------

    def _remove(self, participant: Participant) -> None:
        """Forget a participant at once; its DTLS goodbye is sent in the background."""
        key = (participant.room_id, participant.participant_id)
        if self._participants.get(key) is participant:
            del self._participants[key]
        for receiving in participant.receiving.values():
            receiving.fanout.remove(receiving.subscription)
        participant.receiving.clear()
        for fanout in participant.sending.values():
            self._end_publication(fanout)
        participant.sending.clear()
        self._ice.remove(participant)
        self._emit(TransportChanged(*key, TransportState.CLOSED))
        self._in_background(participant.transport.close())

    def _end_publication(self, fanout: Fanout) -> None:
        info = fanout.publication.info
        self._end_tap(fanout)
        self._fanouts.pop(info.publication_id, None)
        self._sent += fanout.packets_sent
        self._dropped["not_sent"] += fanout.packets_refused
        if fanout.announced:
            self._emit(PublicationEnded(info))

    def _end_tap(self, fanout: Fanout) -> None:
        self._watchers.pop(fanout.publication.info.publication_id, None)
        if fanout.tap is not None:
            fanout.tap.close()
            fanout.tap = None

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    # --- datagrams --------------------------------------------------------------------------------------

    def _sender(self, participant: Participant) -> Callable[[bytes], bool]:
        send = self._udp.send

        def to_participant(datagram: bytes) -> bool:
            address = participant.address
            return address is not None and send(datagram, address, participant.source)

        return to_participant

    def _datagram(self, datagram: bytes, address: Address, ancillary: Ancillary, arrived_s: float) -> None:
        """Tell STUN, DTLS and SRTP apart by the first byte (RFC 7983)."""
        self._received += 1
        if len(datagram) < 13:
            self._dropped["malformed"] += 1
            return
        first = datagram[0]
        if 127 < first < 192:
            participant = self._ice.owner_of(address)
            if participant is not None:
                self._srtp(participant, datagram, arrived_s)
            elif not self._rebind(datagram, address, ancillary, arrived_s):
                self._dropped["unvalidated_address"] += 1
        elif first < 4:
            self._stun(datagram, address, ancillary, arrived_s)
        elif 19 < first < 64:
            participant = self._ice.owner_of(address)
            if participant is None:
                self._dropped["unvalidated_address"] += 1
            elif not participant.transport.push_dtls(datagram):
                self._dropped["queue_full"] += 1
        else:
            self._dropped["unknown_protocol"] += 1

    def _stun(self, datagram: bytes, address: Address, ancillary: Ancillary, now: float) -> None:
        result = self._ice.receive(datagram, address, now)
        if result.reply is not None:
            self._udp.send(result.reply, address, self._udp.source_of(ancillary))
        if result.outcome not in (StunOutcome.VALIDATED, StunOutcome.SERVED):
            self._dropped[result.outcome] += 1
        elif result.owner is not None and result.moved:
            self._move(result.owner, address, ancillary)

    def _move(self, participant: Participant, address: Address, ancillary: Ancillary) -> None:
        source = self._udp.source_of(ancillary)
        participant.source = source if self._udp.needs_source(address, source) else None
        participant.address = address
        if participant.transport.secured:
            participant.moved()

    def _srtp(self, participant: Participant, datagram: bytes, arrived_s: float) -> None:
        transport = participant.transport
        control = is_rtcp(datagram)
        plain = transport.unprotect(datagram, control)
        if plain is None:
            self._dropped["not_authenticated"] += 1
            return
        self._plain(participant, plain, control, arrived_s)

    def _plain(self, participant: Participant, plain: bytes, control: bool, arrived_s: float) -> None:
        if control:
            reason = participant.receive_rtcp(plain, arrived_s)
        else:
            result = participant.receive_rtp(plain, arrived_s)
            if isinstance(result, Fanout):
                self._emit(PublicationAdded(result.publication.info))
                return
            reason = result
        if reason is not None:
            self._dropped[reason] += 1

    def _rebind(self, datagram: bytes, address: Address, ancillary: Ancillary, arrived_s: float) -> bool:
        """SRTP from an address that is not validated: follow a publisher whose keys authenticate it.

        Only packets with a known SSRC are tried, and only so many a second.
        """
        if is_rtcp(datagram) or self._rebind_tries < 1.0:
            return False
        ssrc = int.from_bytes(datagram[8:12], "big")
        for participant in self._participants.values():
            if ssrc in participant.routes:
                self._rebind_tries -= 1.0
                plain = participant.transport.unprotect(datagram, False)
                if plain is not None:
                    self._ice.rebind(participant, address, arrived_s)
                    self._move(participant, address, ancillary)
                    self._plain(participant, plain, False, arrived_s)
                    return True
        return False

    # --- time -------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        elapsed_s = now - self._ticked_at_s
        self._ticked_at_s = now
        self._rebind_tries = min(REBIND_TRIES_PER_S, self._rebind_tries + elapsed_s * REBIND_TRIES_PER_S)
        for participant in list(self._participants.values()):
            participant.tick(now)
            self._check_liveness(participant, now)
        self._ice.expire(now)
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def _check_liveness(self, participant: Participant, now: float) -> None:
        seen_s = max(self._ice.last_seen_s(participant), participant.last_media_s)
        transport = participant.transport
        transport.set_silent(now - seen_s > self._config.silent_after_s)
        connecting = transport.state is TransportState.CONNECTING
        since_s = transport.created_at_s if connecting else seen_s
        if now - since_s > ABANDONED_AFTER_S or transport.state is TransportState.CLOSED:
            self._remove(participant)

    # --- events -----------------------------------------------------------------------------------------

    def _transport_changed(self, participant: Participant) -> None:
        state = participant.transport.state
        if state is TransportState.CLOSED:
            self._remove(participant)
            return
        participant.follow_transport()
        self._emit(TransportChanged(participant.room_id, participant.participant_id, state))

    def _tapped(self, publication_id: str, frame: TappedFrame) -> None:
        for listener in list(self._watchers.get(publication_id, ())):
            try:
                listener(frame)
            except Exception:
                log.exception("a watcher failed")

    def _emit(self, event: MediaEvent) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:
                # A listener's fault must not leave a transport half removed.
                log.exception("a listener failed at %s", type(event).__name__)


def _new_subscription(
    publication: Publication, planned: answer.PlannedSection, codec: answer.ChosenCodec
) -> Subscription:
    mid_extension = planned.extensions.get(MID_URI)
    mid = planned.section.mid.encode()
    named = [(mid_extension, mid)] if mid_extension is not None and len(mid) <= 16 else []
    return Subscription(
        publication,
        codec,
        ssrc=secrets.randbits(32),
        rtx_ssrc=secrets.randbits(32) if codec.rtx_payload_type is not None else None,
        extensions=extension_block(named),
        first_sequence=secrets.randbits(15),
        first_timestamp=secrets.randbits(32),
    )
