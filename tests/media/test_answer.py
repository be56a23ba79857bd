"""Offer to answer: what is chosen, what is refused, and that browsers' libraries read the result."""

from __future__ import annotations

import aiortc.sdp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import answer, rtp, sdp
from media.answer import ChosenCodec, Local, Outgoing
from media.ice_lite import Credentials
from media.interface import Kind, SdpRefused
from tests.media.test_sdp import OFFER

H264 = """a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:103 H264/90000
a=fmtp:103 packetization-mode=0;profile-level-id=42e01f
a=rtpmap:104 H264/90000
a=rtcp-fb:104 nack
a=fmtp:104 packetization-mode=1;profile-level-id=42e01f
a=rtpmap:105 H264/90000
a=fmtp:105 packetization-mode=1;profile-level-id=640c1f
a=rtpmap:98 VP9/90000
a=fmtp:98 profile-id=0
a=rtpmap:100 VP9/90000
a=fmtp:100 profile-id=2
"""
VP8 = ChosenCodec("VP8", 96, 90000, 1, {}, ("nack", "nack pli"), 97)
LOCAL = Local(
    session_id=5,
    version=2,
    credentials=Credentials("ufragufr", "p" * 24),
    fingerprint=("sha-256", ":".join(["AB"] * 32)),
    candidates=(("192.0.2.1", 4000), ("2001:db8::1", 4000)),
    start_bitrate_bps=1_000_000,
    max_bitrate_bps=2_500_000,
)


def offer(video_formats: str = "96 97") -> str:
    """The sample offer with every codec, and these formats in its video m-line."""
    text = OFFER.replace("m=video 0 UDP/TLS/RTP/SAVPF 96 97", f"m=video 9 UDP/TLS/RTP/SAVPF {video_formats}")
    return text + H264


def planned(text: str, publishing: dict[str, Kind] | None = None) -> answer.Plan:
    """A plan where m-line 1 publishes."""
    return answer.plan(sdp.parse(text), publishing or {"1": Kind.VIDEO}, {})


@pytest.mark.parametrize(
    ("formats", "name", "payload_type", "rtx"),
    [
        ("96 97", "VP8", 96, 97),
        ("100 98 96", "VP9", 98, None),
        ("103 105 102 104 96", "H264", 102, None),
        ("104 102", "H264", 104, None),
    ],
)
def test_the_first_codec_that_is_supported_is_taken(
    formats: str, name: str, payload_type: int, rtx: int | None
) -> None:
    codec = planned(offer(formats)).by_mid("1").codec
    assert codec is not None
    assert (codec.name, codec.payload_type, codec.rtx_payload_type) == (name, payload_type, rtx)


def test_the_answer_of_a_publication() -> None:
    text = answer.write(planned(offer("96 97 98")), {}, LOCAL)
    lines = text.split("\r\n")
    assert "a=ice-lite" in lines
    assert "a=group:BUNDLE 0 1" in lines
    assert lines.count("a=setup:passive") == 2
    assert lines.count("a=end-of-candidates") == 1
    assert "a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host" in lines
    assert "a=candidate:2 1 udp 2130706175 2001:db8::1 4000 typ host" in lines
    assert "m=video 9 UDP/TLS/RTP/SAVPF 96 97" in lines
    assert "a=fmtp:96 x-google-start-bitrate=1000;x-google-max-bitrate=2500" in lines
    assert "a=rtcp-rsize" in lines
    video = text[text.index("m=video") :]
    assert "a=recvonly" in video
    assert "a=inactive" in text[: text.index("m=video")]
    read = aiortc.sdp.SessionDescription.parse(text)
    assert [media.direction for media in read.media] == ["inactive", "recvonly"]
    assert [codec.name for codec in read.media[1].rtp.codecs] == ["VP8", "rtx"]
    assert sdp.parse(text).sections[1].codecs[97].parameters == {"apt": "96"}


def test_the_answer_of_a_subscription() -> None:
    text = offer().replace("a=sendonly", "a=recvonly")
    plan = answer.plan(sdp.parse(text), {}, {"1": VP8})
    outgoing = {"1": Outgoing("stream", "track", "name", 11, 12)}
    read = sdp.parse(answer.write(plan, outgoing, LOCAL)).sections[1]
    assert read.direction == "sendonly"
    assert (read.ssrcs, read.rtx_of) == ([11, 12], {11: 12})
    assert read.codecs[96].feedback == ["nack", "nack pli"]
    assert read.codecs[96].parameters == {}


NUMBERED = f"""a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:111 transport-cc
a=extmap:3 {rtp.TRANSPORT_CC_URI}
a=rtcp-fb:96 nack
"""


def test_viewers_say_when_packets_came() -> None:
    text = offer().replace("a=sendonly", "a=recvonly").replace("a=rtcp-fb:96 nack\n", NUMBERED)
    text = text.replace("a=rtcp-fb:* ", NUMBERED.split("\n")[3] + "\na=rtcp-fb:* ")
    opus = ChosenCodec("opus", 111, 48000, 2, {}, ())
    plan = answer.plan(sdp.parse(text), {}, {"1": VP8, "0": opus})
    for mid, feedback in (("0", ("transport-cc",)), ("1", ("transport-cc", "nack", "nack pli"))):
        planned_section = plan.by_mid(mid)
        assert planned_section.codec is not None
        assert planned_section.codec.feedback == feedback
        assert planned_section.extensions[rtp.TRANSPORT_CC_URI] == 3


def test_an_m_line_at_rest_keeps_its_extensions() -> None:
    """Chromium offers an m-line that was answered without extensions never again with any."""
    text = offer().replace("a=sendonly", "a=inactive").replace("a=rtcp-fb:96 nack\n", NUMBERED)
    plan = answer.plan(sdp.parse(text), {}, {})
    assert plan.by_mid("1").codec is None
    read = sdp.parse(answer.write(plan, {}, LOCAL)).sections[1]
    assert read.direction == "inactive"
    assert read.extensions[rtp.TRANSPORT_CC_URI] == 3


@pytest.mark.parametrize("missing", NUMBERED.split("\n")[1:4:2])
def test_a_viewer_that_cannot_is_asked_for_its_own_estimate(missing: str) -> None:
    text = offer().replace("a=sendonly", "a=recvonly").replace("a=rtcp-fb:96 nack\n", NUMBERED)
    assert missing in text
    planned_video = answer.plan(sdp.parse(text.replace(missing, "a=x")), {}, {"1": VP8}).by_mid("1")
    assert planned_video.codec is not None
    assert planned_video.codec.feedback == ("goog-remb", "nack", "nack pli")
    assert rtp.TRANSPORT_CC_URI not in planned_video.extensions


def test_video_that_is_sent_again_as_it_was_has_no_numbers() -> None:
    """Without RTX: the number would change under one SRTP index."""
    text = offer().replace("a=sendonly", "a=recvonly").replace("a=rtcp-fb:96 nack\n", NUMBERED)
    assert "rtx/90000" in text
    planned_video = answer.plan(sdp.parse(text.replace("rtx/90000", "ulpfec/90000")), {}, {"1": VP8}).by_mid(
        "1"
    )
    assert planned_video.codec is not None
    assert planned_video.codec.rtx_payload_type is None
    assert planned_video.codec.feedback == ("goog-remb", "nack", "nack pli")
    assert rtp.TRANSPORT_CC_URI not in planned_video.extensions


def test_a_viewer_of_h264_gets_the_profile_of_the_publication() -> None:
    text = offer("96 102 104").replace("a=sendonly", "a=recvonly")
    for level, payload_type in (("42e01f", 104), ("42001f", 102), ("42c01e", 102)):
        wanted = ChosenCodec("H264", 50, 90000, 1, {"packetization-mode": "1", "profile-level-id": level}, ())
        codec = answer.plan(sdp.parse(text), {}, {"1": wanted}).by_mid("1").codec
        assert codec is not None
        assert codec.payload_type == payload_type


def test_sendrecv_is_taken_by_its_half() -> None:
    text = offer().replace("a=sendonly", "a=sendrecv").replace("a=recvonly", "a=sendrecv")
    plan = answer.plan(sdp.parse(text), {"1": Kind.VIDEO}, {})
    assert plan.by_mid("1").direction == "recvonly"


def test_bundle_only_lives_and_other_lines_of_port_0_and_data_are_rejected() -> None:
    data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\na=sctp-port:5000\n"
    plan = planned(OFFER.replace("BUNDLE 0 1", "BUNDLE 0 1 2") + data)
    assert [section.rejected for section in plan.sections] == [False, False, True]
    text = answer.write(plan, {}, LOCAL)
    assert "m=application 0 UDP/DTLS/SCTP webrtc-datachannel" in text
    assert "a=group:BUNDLE 0 1\r\n" in text
    stopped = planned(offer().replace("m=audio 9", "m=audio 0"))
    text = answer.write(stopped, {}, LOCAL)
    assert "m=audio 0 " in text
    # The candidates go where the transport is.
    assert text.index("a=candidate") > text.index("m=video")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UDP/TLS/RTP/SAVPF 96", "RTP/AVP 96"),
        ("BUNDLE 0 1", "BUNDLE 0"),
        ("a=rtcp-mux", "a=nothing"),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=ice-ufrag:fXTH", "a=ice-ufrag:f"),
        ("sha-256", "sha-1"),
        ("a=mid:0", "a=nothing"),
        ("a=sendonly", "a=inactive"),
        ("VP8/90000", "H265/90000"),
        ("m=video", "m=audio"),
    ],
)
def test_what_the_relay_does_not_do_is_refused(old: str, new: str) -> None:
    text = OFFER.replace("m=video 0", "m=video 9")
    assert old in text
    with pytest.raises(SdpRefused):
        planned(text.replace(old, new))


LINES = (OFFER.replace("m=video 0", "m=video 9") + H264).split("\n")


@given(st.data())
def test_any_damaged_offer_is_answered_or_refused(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(1, len(lines) - 1))
        change = data.draw(st.sampled_from(["drop", "repeat", "cut", "number"]))
        if change == "drop":
            del lines[at]
        elif change == "repeat":
            lines.insert(at, data.draw(st.sampled_from(LINES)))
        elif change == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, 30))]
        else:
            lines[at] = lines[at].replace("9", data.draw(st.sampled_from(["", "x", "72", "999999999999"])), 1)
    try:
        plan = answer.plan(sdp.parse("\n".join(lines)), {"1": Kind.VIDEO}, {})
    except SdpRefused:
        return
    sdp.parse(answer.write(plan, {}, LOCAL))


def test_payload_types_that_look_like_rtcp_are_passed_over() -> None:
    text = offer("72 98").replace("a=rtpmap:96", "a=rtpmap:72")
    codec = planned(text).by_mid("1").codec
    assert codec is not None
    assert codec.payload_type == 98


def test_roles_that_do_not_fit_are_refused() -> None:
    parsed = sdp.parse(offer())
    opus = ChosenCodec("opus", 111, 48000, 2, {}, ())
    vp9 = ChosenCodec("VP9", 98, 90000, 1, {}, ())
    for publishing, subscribing in (
        ({"1": Kind.VIDEO}, {"1": VP8}),
        ({"7": Kind.VIDEO}, {}),
        ({}, {"1": VP8}),
        ({"0": Kind.AUDIO}, {}),
        ({}, {"0": vp9}),
    ):
        with pytest.raises(SdpRefused):
            answer.plan(parsed, publishing, subscribing)
    assert answer.plan(parsed, {}, {"0": opus}).by_mid("0").direction == "sendonly"
    with pytest.raises(SdpRefused):
        answer.plan(sdp.parse("v=0\n"), {}, {})


SIMULCAST = """a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=rid:q send
a=rid:h send max-width=640
a=rid:f send
a=rid:x recv
a=simulcast:send q;~h,other;f recv x
"""


def test_simulcast_is_answered_with_the_names_that_are_sent() -> None:
    plan = planned(offer() + SIMULCAST)
    assert plan.by_mid("1").rids == ("q", "h", "f")
    text = answer.write(plan, {}, LOCAL)
    assert "a=rid:q recv\r\na=rid:h recv\r\na=rid:f recv\r\na=simulcast:recv q;h;f\r\n" in text
    for uri in ("mid", "rtp-stream-id", "repaired-rtp-stream-id"):
        assert f"urn:ietf:params:rtp-hdrext:sdes:{uri}" in text


@pytest.mark.parametrize(
    ("old", "new", "rids"),
    [
        ("rtp-stream-id", "nothing", ()),
        ("a=simulcast:send q;~h,other;f", "a=simulcast:send q;unknown", ("q",)),
        ("a=simulcast:send", "a=simulcast:recv", ()),
        ("a=simulcast:send", "a=simulcast:", ()),
        ("q;~h,other;f", "q;q;;h", ("q", "h")),
        ("a=rid:f send", "a=rid:f send\na=rid:four send", ("q", "h", "f")),
    ],
)
def test_encodings_that_cannot_be_told_apart_are_one(old: str, new: str, rids: tuple[str, ...]) -> None:
    text = SIMULCAST.replace(old, new)
    if "four" in new:
        text = text.replace(";f", ";f;four")
    plan = planned(offer() + text)
    assert plan.by_mid("1").rids == rids
    assert ("a=simulcast" in answer.write(plan, {}, LOCAL)) == bool(rids)
