"""SDP as browsers write it, as nobody should, and as arbitrary text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import sdp
from media.interface import SdpRefused

OFFER = """v=0
o=- 3428704573081170056 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=fingerprint:sha-256 93:DD:C1:6F:96:C3:4E:C1:8D:C1:0B:ED:E2:1B:CC:BF:72:F7:BD:88
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 0.0.0.0
a=ice-ufrag:fXTH
a=ice-pwd:azl1iPfjUCExe935qQWu/uuc
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:* transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:0 PCMU/8000
m=video 0 UDP/TLS/RTP/SAVPF 96 97
a=bundle-only
a=ice-ufrag:fXTH
a=ice-pwd:azl1iPfjUCExe935qQWu/uuc
a=setup:actpass
a=mid:1
a=sendonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=ssrc-group:FID 2843306994 1476132551
a=ssrc:2843306994 cname:GLqI5ynsZro5EXq6
a=ssrc:2843306994 msid:- 9ba40171-fa29-435d-8169-cd2fd7c52b89
a=ssrc:1476132551 cname:GLqI5ynsZro5EXq6
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_browsers_offer(ending: str) -> None:
    found = sdp.parse(OFFER.replace("\n", ending))
    assert found.session_id == "3428704573081170056"
    assert found.bundle == ["0", "1"]
    audio, video = found.sections
    assert (audio.kind, audio.mid, audio.direction, audio.port) == ("audio", "0", "recvonly", 9)
    assert (audio.ufrag, audio.password) == ("fXTH", "azl1iPfjUCExe935qQWu/uuc")
    assert audio.fingerprints == video.fingerprints
    assert audio.fingerprints[0][0] == "sha-256"
    assert audio.extensions["urn:ietf:params:rtp-hdrext:sdes:mid"] == 4
    opus = audio.codecs[111]
    assert (opus.name, opus.clock_rate, opus.channels) == ("opus", 48000, 2)
    assert opus.parameters == {"minptime": "10", "useinbandfec": "1"}
    assert opus.feedback == ["transport-cc"]
    assert (video.bundle_only, video.rtcp_mux, video.rtcp_reduced_size) == (True, True, True)
    assert video.codecs[96].feedback == ["nack", "nack pli"]
    assert video.codecs[97].parameters == {"apt": "96"}
    assert video.ssrcs == [2843306994, 1476132551]
    assert video.rtx_of == {2843306994: 1476132551}


def test_a_codec_is_written_as_it_is_read() -> None:
    codec = sdp.parse(OFFER).sections[0].codecs[111]
    assert sdp.write_codec(codec) == [
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v=0", "v=1"),
        ("o=- 3428704573081170056 2", "o=- 2"),
        ("t=0 0", "nonsense"),
        ("a=mid:1", "a=mid:0"),
        ("a=mid:1", "a=mid:two words"),
        ("m=audio 9 ", "m=audio 99999 "),
        ("m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus"),
        ("a=rtpmap:111 opus", "a=rtpmap:999 opus"),
        ("a=ssrc:1476132551", "a=ssrc:-1"),
        ("FID 2843306994", "FID x"),
        ("a=fingerprint:sha-256 93", "a=fingerprint:sha-256 9"),
        ("a=ice-ufrag:fXTH", "a=ice-ufrag:f XTH"),
        ("a=extmap:1 ", "a=extmap:x "),
        ("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=extmap:1"),
        ("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/²"),
    ],
)
def test_what_cannot_be_read_is_refused(old: str, new: str) -> None:
    assert old in OFFER
    with pytest.raises(SdpRefused):
        sdp.parse(OFFER.replace(old, new))


def test_too_much_is_refused() -> None:
    with pytest.raises(SdpRefused):
        sdp.parse("v=0\n" + "a=x\n" * 60_000)
    with pytest.raises(SdpRefused):
        sdp.parse("v=0\n" + "".join(f"m=audio 9 UDP/TLS/RTP/SAVPF 0\na=mid:{n}\n" for n in range(100)))


LINES = st.lists(
    st.sampled_from([*OFFER.split("\n"), "", "a=", "m=", "a=rtpmap:", "a=fmtp:1", "a=ssrc-group:FID"])
)


@given(st.text(max_size=300))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, "v=0\n" + text, "v=0\nm=video 9 UDP/TLS/RTP/SAVPF 96\na=" + text):
        try:
            sdp.parse(candidate)
        except SdpRefused:
            continue


@given(LINES, st.integers(0, 400), st.text(max_size=3))
def test_any_shuffle_of_lines_is_parsed_or_refused(lines: list[str], at: int, inserted: str) -> None:
    text = "v=0\n" + "\n".join(lines)
    try:
        sdp.parse(text[:at] + inserted + text[at:])
    except SdpRefused:
        return
