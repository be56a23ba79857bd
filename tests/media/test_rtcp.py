"""RTCP both ways, with aiortc's codec as an independent one, and arbitrary bytes."""

from __future__ import annotations

import aiortc.rtp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from media import rtcp

BLOCK = rtcp.ReportBlock(7, 128, -5, 0x12345, 99, 0xABCDEF01, 65536)


def test_reports_round_trip() -> None:
    report = rtcp.SenderReport(1, 0x0102030405060708, 2, 3, 4, (BLOCK,))
    compound = rtcp.sender_report(report) + rtcp.source_description(1, "name")
    compound += rtcp.receiver_report(9, (BLOCK, BLOCK))
    assert rtcp.parse(compound) == [report, rtcp.ReceiverReport(9, (BLOCK, BLOCK))]


def test_another_codec_reads_reports_and_names() -> None:
    compound = rtcp.sender_report(rtcp.SenderReport(1, 2 << 32, 3, 4, 5, (BLOCK,)))
    compound += rtcp.source_description(1, "a name")
    sender, description = aiortc.rtp.RtcpPacket.parse(compound)
    assert isinstance(sender, aiortc.rtp.RtcpSrPacket)
    assert isinstance(description, aiortc.rtp.RtcpSdesPacket)
    assert sender.sender_info.ntp_timestamp == 2 << 32
    assert sender.reports[0].packets_lost == -5
    assert description.chunks[0].items == [(1, b"a name")]


@given(st.integers(0, 65535), st.lists(st.integers(1, 40), max_size=60))
def test_nack_round_trips_over_the_wrap(first: int, steps: list[int]) -> None:
    sequences = [first]
    for step in steps:
        sequences.append((sequences[-1] + step) & 0xFFFF)
    message = rtcp.nack(1, 2, sequences)
    assert rtcp.parse(message) == [rtcp.Nack(1, 2, tuple(sequences))]
    (parsed,) = aiortc.rtp.RtcpPacket.parse(message)
    assert isinstance(parsed, aiortc.rtp.RtcpRtpfbPacket)
    assert [number & 0xFFFF for number in parsed.lost] == sequences


def test_a_flood_of_nacked_numbers_is_cut() -> None:
    flood = rtcp.nack(1, 2, [(17 * n) & 0xFFFF for n in range(3000)])
    (parsed,) = rtcp.parse(flood)
    assert isinstance(parsed, rtcp.Nack)
    assert len(parsed.sequences) == rtcp.MAX_NACKED


def test_keyframe_requests() -> None:
    assert rtcp.parse(rtcp.picture_loss(1, 2)) == [rtcp.PictureLoss(1, 2)]
    assert rtcp.parse(rtcp.full_intra_request(1, 2, 300)) == [rtcp.PictureLoss(1, 2)]


@given(st.integers(0, 2**40), st.lists(st.integers(0, 2**32 - 1), max_size=5))
def test_remb_keeps_eighteen_bits(bitrate_bps: int, ssrcs: list[int]) -> None:
    (parsed,) = rtcp.parse(rtcp.remb(1, bitrate_bps, ssrcs))
    assert isinstance(parsed, rtcp.Remb)
    assert parsed.ssrcs == tuple(ssrcs)
    assert parsed.bitrate_bps <= bitrate_bps <= parsed.bitrate_bps * (1 + 2**-17) + 1


def test_remb_of_another_codec() -> None:
    fci = aiortc.rtp.pack_remb_fci(1_234_000, [5, 6])
    other = bytes(aiortc.rtp.RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=fci))
    (parsed,) = rtcp.parse(other)
    assert isinstance(parsed, rtcp.Remb)
    assert parsed.ssrcs == (5, 6)
    assert abs(parsed.bitrate_bps - 1_234_000) < 16


def test_goodbye_and_unknown_packets() -> None:
    bye = bytes(aiortc.rtp.RtcpByePacket(sources=[1, 2]))
    application = b"\x80\xcc\x00\x02" + bytes(8)
    assert rtcp.parse(application + bye) == [rtcp.Goodbye((1, 2))]


def test_padding_is_not_content() -> None:
    padded = (
        b"\xa1\xcd\x00\x04"
        + (1).to_bytes(4, "big")
        + (2).to_bytes(4, "big")
        + b"\x00\x05\x00\x00\x00\x00\x00\x04"
    )
    assert rtcp.parse(padded) == [rtcp.Nack(1, 2, (5,))]


@pytest.mark.parametrize(
    "compound",
    [
        b"\x80",
        b"\x40\xc8\x00\x00",
        b"\x80\xc8\x00\x09",
        b"\x81\xc9\x00\x01" + bytes(4),
        b"\xa0\xc9\x00\x01" + bytes(4),
    ],
)
def test_malformed(compound: bytes) -> None:
    with pytest.raises(rtcp.MalformedRtcp):
        rtcp.parse(compound)


@given(st.integers(0, 31), st.sampled_from([200, 201, 202, 203, 204, 205, 206, 207]), st.binary(max_size=60))
def test_any_bytes_are_parsed_or_refused(count: int, kind: int, body: bytes) -> None:
    body += bytes(-len(body) % 4)
    for compound in (body, bytes([0x80 | count, kind]) + (len(body) // 4).to_bytes(2, "big") + body):
        try:
            rtcp.parse(compound)
        except rtcp.MalformedRtcp:
            continue


@pytest.mark.parametrize(
    ("profile", "key_size"),
    [
        (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
        (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
        (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    ],
)
def test_transport_feedback_that_comes_alone_is_known_under_its_protection(
    profile: int, key_size: int
) -> None:
    session = Session(Policy(bytes(range(key_size)), Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
    feedback = rtcp.transport_feedback(1, 2, b"any body")
    assert rtcp.is_lone_transport_feedback(session.protect_rtcp(feedback))
    nack = rtcp.nack(1, 2, [3])
    for other in (nack, feedback + nack, rtcp.receiver_report(1, ()) + feedback):
        assert not rtcp.is_lone_transport_feedback(session.protect_rtcp(other))
    for damaged in (b"", b"\x8f\xcd\x00", bytes(40)):
        assert not rtcp.is_lone_transport_feedback(damaged)
