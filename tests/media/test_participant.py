"""One participant's routing and feedback, with a transport that only remembers."""

from __future__ import annotations

from typing import cast

from media import answer, rtcp, rtp, sdp
from media.fanout import Fanout
from media.interface import Kind, PublicationInfo, Source, TransportState
from media.participant import MAX_ROUTES, Participant
from media.publication import Publication
from media.transport import Transport
from tests.media.test_sdp import OFFER


class Remembered:
    """Stands for a connected transport."""

    secured = True
    state = TransportState.CONNECTED

    def __init__(self) -> None:
        self.compounds: list[bytes] = []

    def send_rtcp(self, compound: bytes) -> bool:
        """Keep a compound."""
        self.compounds.append(compound)
        return True


def publishing(text: str = OFFER) -> tuple[Participant, Remembered, Publication]:
    """A participant whose m-line 1 is a camera."""
    plan = answer.plan(sdp.parse(text), {"1": Kind.VIDEO}, {})
    codec = plan.by_mid("1").codec
    assert codec is not None
    participant = Participant("r", "a", 2_500_000)
    transport = Remembered()
    participant.transport = cast(Transport, transport)
    info = PublicationInfo("p", "r", "a", Kind.VIDEO, Source.CAMERA, "VP8")
    publication = Publication(info, codec, participant.feedback_ssrc)
    participant.sending["1"] = Fanout(publication)
    participant.reduced_size = plan.rtcp_reduced_size
    participant.route(plan)
    return participant, transport, publication


def packet(ssrc: int, sequence: int = 1) -> bytes:
    """A keyframe of a camera."""
    return rtp.header(96, sequence, 0, ssrc, True) + b"\x10\x00"


def test_the_first_packet_announces_and_the_offers_ssrcs_are_known() -> None:
    participant, _, publication = publishing()
    assert participant.receive_rtp(packet(2843306994), 1.0) == list(participant.sending.values())
    assert participant.receive_rtp(packet(2843306994), 1.0) == "duplicate"
    assert participant.receive_rtp(packet(2843306994, 2), 1.0) is None
    assert (publication.ssrc, publication.rtx_ssrc) == (2843306994, 1476132551)
    assert participant.receive_rtp(packet(5), 1.0) == "unknown_ssrc"
    assert participant.receive_rtp(b"\x80\x60", 1.0) == "malformed"
    assert participant.receive_rtcp(b"\x80\xc8", 1.0) == "malformed"


def test_unnamed_ssrcs_are_learned_once() -> None:
    text = "\n".join(line for line in OFFER.split("\n") if not line.startswith("a=ssrc"))
    participant, _, publication = publishing(text)
    assert participant.receive_rtp(packet(5), 1.0) == list(participant.sending.values())
    rtx = rtp.header(97, 1, 0, 6, True) + b"\x00\x02\x10\x01"
    assert participant.receive_rtp(rtx, 1.0) is None
    assert (publication.ssrc, publication.rtx_ssrc) == (5, 6)
    for ssrc in range(100, 100 + 2 * MAX_ROUTES):
        assert participant.receive_rtp(packet(ssrc), 1.0) == "unknown_ssrc"
    assert len(participant.routes) == 2


def test_without_reduced_size_every_compound_begins_with_a_report() -> None:
    participant, transport, publication = publishing()
    assert not participant.reduced_size
    participant.receive_rtp(packet(2843306994), 10.0)
    participant.tick(10.0)
    publication.keyframes.want()
    participant.tick(10.01)
    first, *others = rtcp.parse(transport.compounds[-1])
    assert isinstance(first, rtcp.ReceiverReport)
    assert rtcp.PictureLoss(participant.feedback_ssrc, 2843306994) in others


def test_reports_are_bounded_by_the_path() -> None:
    participant, transport, publication = publishing()
    participant.receive_rtp(packet(2843306994, 1), 10.0)
    for sequence in range(30, 9000, 30):
        participant.receive_rtp(packet(2843306994, sequence), 10.0)
    participant.tick(10.0)
    assert all(len(compound) < 1300 for compound in transport.compounds)
    nacked = [p for compound in transport.compounds for p in rtcp.parse(compound) if isinstance(p, rtcp.Nack)]
    assert nacked
    assert publication.begun


def test_nothing_is_sent_before_the_keys() -> None:
    participant, transport, _ = publishing()
    transport.secured = False
    participant.tick(10.0)
    assert transport.compounds == []
