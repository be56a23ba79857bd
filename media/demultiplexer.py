"""What comes to the port: STUN, DTLS and SRTP told apart, each given to whom it is for, the rest counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping

from media.ice_lite import Address, IceLite, StunOutcome
from media.participant import Participant
from media.rtp import is_rtcp
from media.udp import DONT_WAIT, Ancillary, UdpSocket

REBIND_TRIES_PER_S = 50
SHORTEST_DATAGRAM = 13
"""A DTLS record's header; every SRTP and STUN packet is longer."""

Deliver = Callable[[Participant, bytes, bool, float], str | None]


class Demultiplexer:
    """Routes datagrams by their first byte (RFC 7983) and by the addresses that ICE has validated.

    participants: all there are, by room and id. deliver: takes a plain packet, whether it is RTCP, and its
    arrival; returns why it was dropped, or None. addresses: the table of validated addresses.
    """

    def __init__(
        self,
        udp: UdpSocket,
        participants: Mapping[tuple[str, str], Participant],
        deliver: Deliver,
        addresses: MutableMapping[Address, Participant],
    ) -> None:
        self.ice: IceLite[Participant] = IceLite(addresses)
        self.received = 0
        self.dropped: Counter[str] = Counter()
        self._udp = udp
        self._participants = participants
        self._deliver = deliver
        self._tries = {False: 0.0, True: 0.0}
        """Rebinding by SRTP, and by SRTCP, may be tried so often: whoever floods one leaves the other."""

    def sender(self, participant: Participant) -> Callable[[bytes], bool]:
        """A function that sends to wherever the participant is; False when the datagram was not taken."""
        send, send_plainly = self._udp.send, self._udp.sendto

        def to_participant(datagram: bytes) -> bool:
            address = participant.address
            if address is None:
                return False
            if participant.source is not None:
                return send(datagram, address, participant.source)
            try:
                send_plainly(datagram, DONT_WAIT, address)
            except OSError:
                return False
            return True

        return to_participant

    def pass_time(self, now: float, elapsed_s: float) -> None:
        """Let credentials expire, and rebinding be tried again."""
        self.ice.expire(now)
        for control, tries in self._tries.items():
            self._tries[control] = min(REBIND_TRIES_PER_S, tries + elapsed_s * REBIND_TRIES_PER_S)

    def datagram(self, datagram: bytes, address: Address, ancillary: Ancillary, arrived_s: float) -> None:
        """Take one datagram."""
        self.received += 1
        self.handle(datagram, address, ancillary, arrived_s)

    def handle(self, datagram: bytes, address: Address, ancillary: Ancillary, arrived_s: float) -> None:
        """Take one datagram that was counted already."""
        if len(datagram) < SHORTEST_DATAGRAM:
            self.dropped["malformed"] += 1
            return
        first = datagram[0]
        if 127 < first < 192:
            participant = self.ice.owner_of(address)
            if participant is not None:
                control = 192 <= datagram[1] <= 223  # as is_rtcp says; a call costs here
                if control:
                    if participant.path.hold(datagram, arrived_s):
                        return
                    self.read_held(participant)
                reason = self._open(participant, datagram, control, arrived_s)
            else:
                reason = self._rebind(datagram, address, ancillary, arrived_s)
        elif first < 4:
            reason = self._stun(datagram, address, ancillary, arrived_s)
        elif 19 < first < 64:
            reason = self._dtls(datagram, address)
        else:
            reason = "unknown_protocol"
        if reason is not None:
            self.dropped[reason] += 1

    def packet(self, participant: Participant, plain: bytes, arrived_s: float) -> None:
        """Take an RTP packet that was decrypted already."""
        reason = self._deliver(participant, plain, False, arrived_s)
        if reason is not None:
            self.dropped[reason] += 1

    def read_held(self, participant: Participant) -> None:
        """Take the feedback that was held back."""
        for datagram, arrived_s in participant.path.held():
            reason = self._open(participant, datagram, True, arrived_s)
            if reason is not None:
                self.dropped[reason] += 1

    def _open(self, participant: Participant, datagram: bytes, control: bool, arrived_s: float) -> str | None:
        plain = participant.transport.unprotect(datagram, control)
        return "not_authenticated" if plain is None else self._deliver(participant, plain, control, arrived_s)

    def _dtls(self, datagram: bytes, address: Address) -> str | None:
        participant = self.ice.owner_of(address)
        if participant is None:
            return "unvalidated_address"
        return None if participant.transport.push_dtls(datagram) else "queue_full"

    def _stun(self, datagram: bytes, address: Address, ancillary: Ancillary, now: float) -> str | None:
        result = self.ice.receive(datagram, address, now)
        if result.reply is not None:
            self._udp.send(result.reply, address, self._udp.source_of(ancillary))
        if result.outcome not in (StunOutcome.VALIDATED, StunOutcome.SERVED):
            return result.outcome
        if result.owner is not None and result.moved:
            self._move(result.owner, address, ancillary)
        return None

    def _rebind(
        self, datagram: bytes, address: Address, ancillary: Ancillary, arrived_s: float
    ) -> str | None:
        """SRTP or SRTCP from an address that is not validated: follow whose keys authenticate it.

        Only packets with a known SSRC are tried, and only so many a second.
        """
        control = is_rtcp(datagram)
        if self._tries[control] < 1.0:
            return "unvalidated_address"
        for participant in self._senders(datagram, control):
            self._tries[control] -= 1.0
            plain = participant.transport.unprotect(datagram, control)
            if plain is not None:
                self.ice.rebind(participant, address, arrived_s)
                self._move(participant, address, ancillary)
                return self._deliver(participant, plain, control, arrived_s)
            if self._tries[control] < 1.0:
                break
        return "unvalidated_address"

    def _senders(self, datagram: bytes, control: bool) -> list[Participant]:
        """Whose packet it may be by its SSRC. Browsers that only receive share one: who has been silent for
        longest has moved most likely."""
        if not control:
            ssrc = int.from_bytes(datagram[8:12], "big")
            return [p for p in self._participants.values() if ssrc in p.routes]
        ssrc = int.from_bytes(datagram[4:8], "big")
        known = [p for p in self._participants.values() if p.control_ssrc == ssrc]
        return sorted(known, key=lambda p: p.last_heard_s)

    def _move(self, participant: Participant, address: Address, ancillary: Ancillary) -> None:
        source = self._udp.source_of(ancillary)
        participant.source = source if self._udp.needs_source(address, source) else None
        participant.address = address
        participant.path.locate(address, participant.source)
        if participant.transport.secured:
            participant.moved()
