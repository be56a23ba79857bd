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
    publication = Publication(info, codec, participant.feedback_ssrc, plan.by_mid("1").rids)
    participant.sending["1"] = Fanout(publication)
    participant.path.reduced_size = plan.rtcp_reduced_size
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
    assert (publication.encodings[0].ssrc, publication.encodings[0].rtx_ssrc) == (2843306994, 1476132551)
    assert participant.receive_rtp(packet(5), 1.0) == "unknown_ssrc"
    assert participant.receive_rtp(b"\x80\x60", 1.0) == "malformed"
    assert participant.receive_rtcp(b"\x80\xc8", 1.0) == "malformed"


def test_unnamed_ssrcs_are_learned_once() -> None:
    text = "\n".join(line for line in OFFER.split("\n") if not line.startswith("a=ssrc"))
    participant, _, publication = publishing(text)
    assert participant.receive_rtp(packet(5), 1.0) == list(participant.sending.values())
    rtx = rtp.header(97, 1, 0, 6, True) + b"\x00\x02\x10\x01"
    assert participant.receive_rtp(rtx, 1.0) is None
    assert (publication.encodings[0].ssrc, publication.encodings[0].rtx_ssrc) == (5, 6)
    for ssrc in range(100, 100 + 2 * MAX_ROUTES):
        assert participant.receive_rtp(packet(ssrc), 1.0) == "unknown_ssrc"
    assert len(participant.routes) == 2


def test_without_reduced_size_every_compound_begins_with_a_report() -> None:
    participant, transport, publication = publishing()
    assert not participant.path.reduced_size
    participant.receive_rtp(packet(2843306994), 10.0)
    participant.tick(10.0)
    publication.encodings[0].keyframes.want()
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


RIDS = """a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=rid:q send
a=rid:h send
a=rid:f send
a=simulcast:send q;h;f
"""


def extended(ssrc: int, sequence: int, *values: tuple[int, bytes], rtx: bytes = b"") -> bytes:
    """A packet with header extensions; rtx: the original number of a retransmission."""
    head = rtp.header(97 if rtx else 96, sequence, 0, ssrc, True, rtp.extension_block(list(values)))
    return head + rtx + b"\x10\x00"


def sending_layers() -> tuple[Participant, Remembered, Publication]:
    """A participant whose m-line 1 is a camera in three sizes."""
    text = "\n".join(line for line in OFFER.split("\n") if not line.startswith("a=ssrc")) + RIDS
    return publishing(text)


def test_encodings_are_told_apart_by_mid_and_rid_and_their_repairs_too() -> None:
    participant, _, publication = sending_layers()
    assert publication.rids == ("q", "h", "f")
    assert participant.receive_rtp(packet(5), 1.0) == "unknown_ssrc"
    assert participant.receive_rtp(extended(5, 1, (4, b"1"), (10, b"zz")), 1.0) == "unknown_ssrc"
    # Repairs of what has not begun cannot be read yet.
    repair = extended(61, 1, (4, b"1"), (11, b"f"), rtx=b"\x00\x02")
    assert participant.receive_rtp(repair, 1.0) == "unknown_ssrc"
    assert participant.receive_rtp(extended(60, 1, (4, b"1"), (10, b"f")), 1.0) == [participant.sending["1"]]
    assert participant.receive_rtp(extended(40, 1, (4, b"1"), (10, b"q")), 1.0) is None
    # Once its SSRC is known nothing more is needed.
    assert participant.receive_rtp(packet(60, 3), 1.0) is None
    assert participant.receive_rtp(repair, 1.0) is None
    low, middle, high = publication.encodings
    assert (low.ssrc, middle.ssrc, high.ssrc, high.rtx_ssrc) == (40, None, 60, 61)
    assert (low.stats().packets_received, high.stats().packets_received) == (1, 3)


def test_reports_and_caps_name_every_encoding() -> None:
    participant, transport, publication = sending_layers()
    for index, rid in enumerate((b"q", b"h", b"f")):
        participant.receive_rtp(extended(40 + index, 1, (4, b"1"), (10, rid)), 10.0)
    participant.tick(10.0)
    (report, *_) = [p for p in rtcp.parse(transport.compounds[-1]) if isinstance(p, rtcp.ReceiverReport)]
    assert [block.ssrc for block in report.blocks] == [40, 41, 42]
    assert publication.largest is publication.encodings[2]


def test_a_size_that_begins_anew_under_another_ssrc_keeps_the_others() -> None:
    participant, _, publication = sending_layers()
    for ssrc, rid in ((40, b"q"), (60, b"f"), (70, b"f")):
        participant.receive_rtp(extended(ssrc, 1, (4, b"1"), (10, rid)), 1.0)
    assert [encoding.ssrc for encoding in publication.encodings] == [40, None, 70]
    assert set(participant.routes) == {40, 70}


def test_it_hurries_while_something_is_to_be_asked_for() -> None:
    participant, transport, _ = publishing()
    hurried: list[int] = []
    participant._hurry = lambda: hurried.append(1)

    def hurries_at(now: float) -> bool:
        participant.tick(now)
        return participant.hurries

    participant.receive_rtp(packet(2843306994, 1), 1.0)
    assert not hurries_at(1.1)
    assert not hurried
    participant.receive_rtp(packet(2843306994, 3), 1.2)
    assert hurried
    assert hurries_at(1.3)
    nacks = [p for p in rtcp.parse(transport.compounds[-1]) if isinstance(p, rtcp.Nack)]
    assert [nack.sequences for nack in nacks] == [(2,)]
    participant.receive_rtp(packet(2843306994, 2), 1.4)
    participant.tick(1.5)  # it came late, which is looked at more closely for a moment
    assert not hurries_at(1.7)


def test_one_who_only_receives_owes_no_report() -> None:
    assert not Participant("r", "a", 2_500_000).hurries
