"""One participant's connection as the relay sees it: RTP and RTCP that came are routed to Publications and
Subscriptions, and feedback goes back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from media import rtcp, rtp
from media.answer import Plan
from media.encoding import Encoding
from media.fanout import Fanout
from media.ice_lite import Address, Credentials
from media.interface import TransportState
from media.packet_path import PeerPath
from media.transport import Transport
from media.udp import Ancillary
from media.viewer import CallLater, Viewer, never

TRANSPORT_CC_INTERVAL_S = 0.1
"""As libwebrtc's default (transport_sequence_number_feedback_generator); half as often costs half as much."""
REPORT_INTERVAL_S = 1.0
AUDIO_ALLOWANCE_BPS = 64_000
MAX_COMPOUND = 1_150
MAX_ROUTES = 64


class Route(NamedTuple):
    """Where the packets of an SSRC go. repairs: they are retransmissions."""

    fanout: Fanout
    repairs: bool
    encoding: Encoding


class Participant:
    """Routing tables and periodic feedback of one participant. `transport` is set right after creation."""

    def __init__(
        self,
        room_id: str,
        participant_id: str,
        max_publication_bps: int,
        call_later: CallLater = never,
        clock: Callable[[], float] = time.monotonic,
        path: PeerPath | None = None,
        hurry: Callable[[], None] = lambda: None,
    ) -> None:
        """hurry: called when the next tick should come soon."""
        self.room_id = room_id
        self.participant_id = participant_id
        self.path = path or PeerPath()
        self._hurry = hurry
        self.transport: Transport
        self.credentials: Credentials
        self.remote_ice = ("", "")
        self.address: Address | None = None
        self.source: Ancillary | None = None
        self.session_id = secrets.randbits(62)
        self.version = 0
        self.control_ssrc: int | None = None
        """Under which this participant sends RTCP, by its last compound."""
        self._last_control_s = 0.0
        self.feedback_ssrc = secrets.randbits(32)
        self.sending: dict[str, Fanout] = {}
        self.viewer = Viewer(max_publication_bps, call_later, clock, self.path.viewer)
        self.receiving = self.viewer.receiving
        self.routes: dict[int, Route] = {}
        self.max_publication_bps = max_publication_bps
        self._mid_extension = 0
        self._rid_extension = 0
        self._repaired_rid_extension = 0
        self._transport_cc_extension = 0
        self._feedback_at_s = 0.0
        self._report_at_s = 0.0

    def route(self, plan: Plan) -> None:
        """Rebuild the routing tables after a negotiation. Extension ids hold for the whole bundle."""
        extensions: dict[str, int] = {}
        for planned in plan.sections:
            extensions.update(planned.extensions)
        self._mid_extension = extensions.get(rtp.MID_URI, 0)
        self._rid_extension = extensions.get(rtp.RID_URI, 0)
        self._repaired_rid_extension = extensions.get(rtp.REPAIRED_RID_URI, 0)
        self._transport_cc_extension = extensions.get(rtp.TRANSPORT_CC_URI, 0)
        self.routes = {s: r for s, r in self.routes.items() if r.fanout in self.sending.values()}
        for mid, fanout in self.sending.items():
            if fanout.publication.rids:
                continue  # by their rid, once they come
            section = plan.by_mid(mid).section
            repairs = set(section.rtx_of.values())
            ssrc = next((s for s in section.ssrcs if s not in repairs), None)
            if ssrc is not None:
                self._bind(fanout, fanout.publication.encodings[0], ssrc, section.rtx_of.get(ssrc))
        self.viewer.route()
        videos = sum(fanout.publication.is_video for fanout in self.sending.values())
        sounds = len(self.sending) - videos
        self.path.policer.set_rate(videos * self.max_publication_bps + sounds * AUDIO_ALLOWANCE_BPS)
        self.path.route(self.routes, self._transport_cc_extension)

    def _bind(self, fanout: Fanout, encoding: Encoding, ssrc: int, rtx_ssrc: int | None) -> None:
        if encoding.bind(ssrc, rtx_ssrc):
            fanout.restart(encoding)
        current = {encoding.ssrc, encoding.rtx_ssrc}
        self.routes = {s: r for s, r in self.routes.items() if r.encoding is not encoding or s in current}
        self.routes[ssrc] = Route(fanout, False, encoding)
        if encoding.rtx_ssrc is not None:
            self.routes[encoding.rtx_ssrc] = Route(fanout, True, encoding)
        self.path.route(self.routes, self._transport_cc_extension)

    def receive_rtp(self, packet: bytes, arrived_s: float) -> list[Fanout] | str | None:
        """Route an authenticated RTP packet and forward it.

        Returns the Fanouts to announce when this was the first packet of one, a reason when the packet was
        dropped, else None. With the first sound the camera is announced too: its first frame takes an encoder
        a while, and viewers can negotiate meanwhile, once for both.
        """
        self.path.last_media_s = arrived_s
        if len(packet) < rtp.HEADER_LENGTH:
            return "malformed"
        if not self.path.policer.admit(len(packet), arrived_s):
            return "over_budget"
        try:
            if self._transport_cc_extension and self.sending:
                number = rtp.short_extension(packet, self._transport_cc_extension)
                if number >= 0:
                    self.path.arrivals.received(number, int(arrived_s * 1e6))
            route = self.routes.get(int.from_bytes(packet[8:12], "big")) or self._learn(packet)
            if route is None:
                return "unknown_ssrc"
            fanout, is_rtx, encoding = route
            accept = encoding.receive_rtx if is_rtx else encoding.receive
            accepted = accept(packet, arrived_s)
        except rtp.MalformedRtp:
            return "malformed"
        if accepted is None:
            return None if is_rtx else "duplicate"
        fanout.deliver(accepted, arrived_s)
        if encoding.asks:
            self._hurry()
        return None if fanout.announced else self._announce()

    def _announce(self) -> list[Fanout]:
        begun = [fanout for fanout in self.sending.values() if not fanout.announced]
        for fanout in begun:
            fanout.announced = True
        return begun

    def _learn(self, packet: bytes) -> Route | None:
        """Route an SSRC that the offer did not name: by mid and rid (RFC 8852), or by a payload type of one
        m-line alone."""
        rtp.payload_bounds(packet)
        payload_type = packet[1] & 0x7F
        mid = rtp.extension(packet, self._mid_extension) if self._mid_extension else None
        named = self.sending.get(mid.decode("ascii", "replace")) if mid is not None else None
        candidates = [named] if named is not None else list(self.sending.values()) if mid is None else []
        fitting: list[tuple[Fanout, Encoding]] = []
        for fanout in candidates:
            codec = fanout.publication.codec
            repairs = payload_type == codec.rtx_payload_type
            if payload_type == codec.payload_type or repairs:
                encoding = self._named_encoding(fanout, packet, repairs)
                known = encoding is not None and (encoding.rtx_ssrc if repairs else encoding.ssrc) is not None
                if encoding is not None and (mid is not None or not known):
                    fitting.append((fanout, encoding))
        if len(fitting) != 1 or len(self.routes) >= MAX_ROUTES:
            return None
        fanout, encoding = fitting[0]
        ssrc = int.from_bytes(packet[8:12], "big")
        if payload_type == fanout.publication.codec.payload_type:
            self._bind(fanout, encoding, ssrc, None)
        elif encoding.ssrc is not None:
            self._bind(fanout, encoding, encoding.ssrc, ssrc)
        return self.routes.get(ssrc)

    def _named_encoding(self, fanout: Fanout, packet: bytes, repairs: bool) -> Encoding | None:
        """The encoding that a packet says it is of, or repairs; the only one where there is one."""
        publication = fanout.publication
        if not publication.rids:
            return publication.encodings[0]
        wanted = self._repaired_rid_extension if repairs else self._rid_extension
        rid = rtp.extension(packet, wanted) if wanted else None
        return publication.by_rid(rid.decode("ascii", "replace")) if rid is not None else None

    def receive_rtcp(self, compound: bytes, now: float) -> str | None:
        """Handle an authenticated compound; a reason when it was dropped, else None."""
        try:
            packets = rtcp.parse(compound)
        except rtcp.MalformedRtcp:
            return "malformed"
        if packets:
            self.control_ssrc = int.from_bytes(compound[4:8], "big")
            self._last_control_s = now
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                route = self.routes.get(packet.ssrc)
                if route is not None and not route.repairs and route.encoding.receive_report(packet, now):
                    route.fanout.deliver_report(route.encoding, packet)
            try:
                self.viewer.receive(packet, now, self.transport.send_rtp)
            except rtcp.MalformedRtcp:
                return "malformed"
        if self.viewer.hurries:
            self._hurry()
        return None

    @property
    def hurries(self) -> bool:
        """Whether something is owed to the publisher or a viewer that should not wait for long."""
        if self.viewer.hurries:
            return True
        if not self.sending:
            return False
        fanouts = self.sending.values()
        return self._report_at_s == 0.0 or any(fanout.publication.hurries for fanout in fanouts)

    @property
    def last_heard_s(self) -> float:
        """When its last authentic RTP or RTCP packet came."""
        return max(self.path.last_media_s, self._last_control_s)

    def follow_transport(self, now: float) -> None:
        """Start or pause the Subscriptions with the transport's state."""
        connected = self.transport.state is TransportState.CONNECTED
        self.viewer.follow(connected=connected, now=now)

    def moved(self) -> None:
        """The participant has another address: what was lost on the way there, keyframes mend."""
        for fanout in self.sending.values():
            for encoding in fanout.publication.encodings:
                encoding.keyframes.want()
        self.viewer.want_keyframes()

    def cap_changed(self) -> None:
        """Tell the publisher its cap with the next feedback."""
        self._report_at_s = 0.0

    def tick(self, now: float) -> None:
        """Send what is due: NACK and PLI at once, transport-cc every 100 ms, RR and REMB every second."""
        if not self.transport.secured:
            return
        self.viewer.tick(now)
        if not self.sending:
            return
        messages: list[bytes] = []
        for fanout in self.sending.values():
            fanout.refresh(now)
            messages += fanout.publication.feedback(now)
            if fanout.publication.is_video and fanout.publication.look_at_uplink(now):
                self._report_at_s = self._feedback_at_s = 0.0
        if self._transport_cc_extension and now - self._feedback_at_s >= TRANSPORT_CC_INTERVAL_S:
            self._feedback_at_s = now
            media_ssrc = next((ssrc for ssrc, route in self.routes.items() if not route.repairs), 0)
            messages += self.path.arrivals.feedback(self.feedback_ssrc, media_ssrc)
        report = b""
        if now - self._report_at_s >= REPORT_INTERVAL_S:
            self._report_at_s = now
            report = self._report(now)
            messages += self._remb()
        if report or messages:
            self._send(report, messages)

    def _report(self, now: float) -> bytes:
        blocks: list[rtcp.ReportBlock] = []
        for fanout in self.sending.values():
            fanout.publication.measure(now)
            found = fanout.publication.report_blocks(now)
            if not fanout.publication.is_video:
                # Opus adds in-band FEC when its encoder knows of loss: the publisher's own, or that of the
                # worst viewer. Only the share is told: the sums feed the publisher's estimate.
                worst = fanout.fraction_lost
                found = [replace(block, fraction_lost=max(block.fraction_lost, worst)) for block in found]
            blocks += found
        return rtcp.receiver_report(self.feedback_ssrc, tuple(blocks[:31])) if blocks else b""

    def _remb(self) -> list[bytes]:
        """The cap of all Publications together: REMB limits a whole connection."""
        total_bps = 0
        ssrcs: list[int] = []
        for fanout in self.sending.values():
            publication = fanout.publication
            known = [encoding.ssrc for encoding in publication.encodings if encoding.ssrc is not None]
            if not publication.is_video:
                total_bps += AUDIO_ALLOWANCE_BPS
            elif known and "goog-remb" in publication.codec.feedback:
                total_bps += int(min(self.max_publication_bps, publication.limit_bps))
                ssrcs += known
        return [rtcp.remb(self.feedback_ssrc, total_bps, ssrcs)] if ssrcs else []

    def _send(self, report: bytes, messages: list[bytes]) -> None:
        """Pack messages into compounds below the path's MTU; without rtcp-rsize each begins with a report."""
        prefix = b"" if self.path.reduced_size else rtcp.receiver_report(self.feedback_ssrc, ())
        compound = report or prefix
        for message in messages:
            if len(compound) > len(prefix) and len(compound) + len(message) > MAX_COMPOUND:
                self.transport.send_rtcp(compound)
                compound = prefix
            compound += message
        if len(compound) > len(prefix) or report:
            self.transport.send_rtcp(compound)
