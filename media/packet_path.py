"""Where packets are handled: here, by Python from socket to socket. media/native/engine.py is the other way,
which takes ordinary packets through C and leaves the rest to this very code."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from media.aiortc_private import DtlsEnd
from media.answer import ChosenCodec
from media.fanout import Fanout
from media.ice_lite import Address
from media.interface import PublicationInfo
from media.policer import Policer
from media.publication import Publication
from media.rtcp import is_lone_transport_feedback
from media.subscription import Subscription
from media.twcc import ArrivalRecorder
from media.udp import Ancillary, UdpSocket
from media.viewer_path import ViewerPath

if TYPE_CHECKING:
    from media.demultiplexer import Demultiplexer
    from media.participant import Participant, Route


class Receiving(Protocol):
    """Takes SRTP packets of one peer."""

    def unprotect(self, datagram: bytes) -> bytes:
        """The plain packet. Raises pylibsrtp.Error or ValueError when it must be dropped."""


class Sending(Protocol):
    """Makes SRTP packets for one peer."""

    def protect(self, packet: bytes) -> bytes:
        """The packet as it is sent. Raises pylibsrtp.Error or ValueError when it must be dropped."""


MAX_HELD = 8


class PeerPath:
    """One participant's share of the way: its keys, its address, what it may send, and feedback that is held
    back until somebody looks at it."""

    def __init__(self) -> None:
        self.arrivals = ArrivalRecorder()
        self.policer = Policer()
        self.viewer = ViewerPath()
        self._last_media_s = 0.0
        self.reduced_size = True
        """RTCP may go both ways without a report before it (RFC 5506): what is urgent comes alone, and
        reports may wait until somebody looks."""
        self._held: list[tuple[bytes, float]] = []

    @property
    def last_media_s(self) -> float:
        """When its last authentic RTP packet came."""
        return self._last_media_s

    @last_media_s.setter
    def last_media_s(self, now: float) -> None:
        self._last_media_s = now

    def secure(self, dtls: DtlsEnd) -> tuple[Receiving, Sending]:
        """DTLS has given keys: who protects RTP from now on, and nobody beside it: it counts packets."""
        return dtls.srtp()

    def locate(self, address: Address, source: Ancillary | None) -> None:
        """The participant is there from now on; source: as for UdpSocket.send."""

    def route(self, routes: Mapping[int, Route], transport_cc_extension: int) -> None:
        """It sends these SSRCs. transport_cc_extension: id of the numbers that are owed feedback, or 0."""

    def hold(self, datagram: bytes, arrived_s: float) -> bool:
        """Keep an SRTCP datagram until `held` is read, if it may wait for that."""
        if (
            not self.viewer.unhurried
            or len(self._held) >= MAX_HELD
            or not is_lone_transport_feedback(datagram)
        ):
            return False
        self._held.append((datagram, arrived_s))
        return True

    def held(self) -> list[tuple[bytes, float]]:
        """What was held back since the last call: (datagram, arrival), in order."""
        held = self._held
        if held:
            self._held = []
        return held

    def close(self) -> None:
        """The participant is gone, with its keys."""


_NOTHING_TO_HOLD = nullcontext()


class PacketPath:
    """Makes the parts of a worker that packets pass through."""

    def addresses(self) -> MutableMapping[Address, Participant]:
        """The table of validated addresses, empty."""
        return {}

    def peer(self) -> PeerPath:
        """For a new participant."""
        return PeerPath()

    def fanout(
        self, info: PublicationInfo, codec: ChosenCodec, feedback_ssrc: int, rids: tuple[str, ...]
    ) -> Fanout:
        """A Publication, with who receives it; see Publication."""
        return Fanout(Publication(info, codec, feedback_ssrc, rids))

    def subscription(
        self,
        viewer: PeerPath,
        publication: Publication,
        codec: ChosenCodec,
        ssrc: int,
        rtx_ssrc: int | None,
        extensions: list[tuple[int, bytes]],
        first_sequence: int,
        first_timestamp: int,
        dependency_extension: int,
        *,
        numbered: bool,
    ) -> Subscription:
        """A viewer's Subscription; see Subscription."""
        return Subscription(
            publication,
            codec,
            ssrc,
            rtx_ssrc,
            extensions,
            first_sequence,
            first_timestamp,
            dependency_extension,
            numbered=numbered,
        )

    def start(self, loop: asyncio.AbstractEventLoop, udp: UdpSocket, incoming: Demultiplexer) -> None:
        """Take what comes to the socket from now on."""
        udp.start(loop, incoming.datagram)

    def held(self) -> AbstractContextManager[None]:
        """Hold packets back meanwhile: everything that they touch may be read and changed inside. May be
        entered again by whoever is inside, but nobody waits for anything there."""
        return _NOTHING_TO_HOLD

    def close(self) -> None:
        """Take nothing any more; the socket closes next."""
