"""What a peer of the load writes as SDP: offers as a page makes them, and answers to a relay that offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media import sdp
from media.rtp import MID_URI, TRANSPORT_CC_URI

VIDEO_TYPE, RTX_TYPE, AUDIO_TYPE = 96, 97, 111
TRANSPORT_CC_ID, MID_ID = 3, 4
_EXTENSIONS = (
    f"a=extmap:{TRANSPORT_CC_ID} {TRANSPORT_CC_URI}",
    f"a=extmap:{MID_ID} {MID_URI}",
)
_VIDEO = (
    f"a=rtpmap:{VIDEO_TYPE} VP8/90000",
    *(f"a=rtcp-fb:{VIDEO_TYPE} {f}" for f in ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")),
    f"a=rtpmap:{RTX_TYPE} rtx/90000",
    f"a=fmtp:{RTX_TYPE} apt={VIDEO_TYPE}",
)
_AUDIO = (
    f"a=rtpmap:{AUDIO_TYPE} opus/48000/2",
    f"a=rtcp-fb:{AUDIO_TYPE} transport-cc",
    f"a=fmtp:{AUDIO_TYPE} minptime=10;useinbandfec=1",
)
_UNDERSTOOD_FEEDBACK = frozenset({"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"})


@dataclass(frozen=True, slots=True)
class Identity:
    """What a peer says of itself in every m-line."""

    ufrag: str
    password: str
    fingerprint: str
    host: str
    port: int

    def lines(self, setup: str) -> list[str]:
        """Transport attributes of one m-line; setup is the DTLS role."""
        return [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            f"a=fingerprint:sha-256 {self.fingerprint}",
            f"a=setup:{setup}",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            f"a=candidate:1 1 udp 2122260223 {self.host} {self.port} typ host",
            "a=end-of-candidates",
        ]


def offer(identity: Identity, kinds: Sequence[str], direction: str, ssrcs: Sequence[Sequence[int]]) -> str:
    """One m-line of each kind, mids from "0"; ssrcs: by m-line, of the media and of its retransmissions."""
    mids = [str(index) for index in range(len(kinds))]
    lines = _head(mids)
    for mid, kind, own in zip(mids, kinds, ssrcs, strict=True):
        codec, formats = (
            (_VIDEO, f"{VIDEO_TYPE} {RTX_TYPE}") if kind == "video" else (_AUDIO, str(AUDIO_TYPE))
        )
        lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
        lines += [f"a={direction}", *identity.lines("actpass"), *_EXTENSIONS, *codec]
        if own:
            lines.append("a=msid:load " + kind)
        if len(own) > 1:
            lines.append("a=ssrc-group:FID " + " ".join(map(str, own)))
        lines += [f"a=ssrc:{ssrc} cname:load" for ssrc in own]
    return "\r\n".join(lines) + "\r\n"


def answer(identity: Identity, offered: sdp.Description) -> str:
    """Receive whatever is offered; a data channel is let be, and nobody speaks on it."""
    lines = _head([s.mid for s in offered.sections])
    for section in offered.sections:
        if section.kind not in ("audio", "video"):
            lines += [f"m={section.kind} 9 {section.protocol} {section.formats[0]}", "c=IN IP4 0.0.0.0"]
            lines += [f"a=mid:{section.mid}", *identity.lines("active"), "a=sctp-port:5000"]
            continue
        codecs = received_codecs(section)
        formats = " ".join(str(codec.payload_type) for codec in codecs)
        lines += [f"m={section.kind} 9 {section.protocol} {formats}", "c=IN IP4 0.0.0.0"]
        lines += [f"a=mid:{section.mid}", "a=recvonly", *identity.lines("active")]
        for uri in (TRANSPORT_CC_URI, MID_URI):
            if uri in section.extensions:
                lines.append(f"a=extmap:{section.extensions[uri]} {uri}")
        for codec in codecs:
            codec.feedback = [f for f in codec.feedback if f in _UNDERSTOOD_FEEDBACK]
            lines += sdp.write_codec(codec)
    return "\r\n".join(lines) + "\r\n"


def received_codecs(section: sdp.Section) -> list[sdp.Codec]:
    """The m-line's VP8 or Opus, and the RTX that belongs to it."""
    wanted = "VP8" if section.kind == "video" else "OPUS"
    chosen = next(codec for codec in section.codecs.values() if codec.name.upper() == wanted)
    apt = str(chosen.payload_type)
    rtx = (c for c in section.codecs.values() if c.name.lower() == "rtx" and c.parameters.get("apt") == apt)
    return [chosen, *rtx]


def candidates(text: str) -> list[tuple[str, int]]:
    """Addresses of the UDP host candidates in a description or in a single candidate line."""
    found = []
    for line in text.replace("a=", "").splitlines():
        words = line.split()
        if line.startswith("candidate:") and len(words) > 7 and words[2].lower() == "udp":
            found.append((words[4], int(words[5])))
    return found


def _head(mids: Sequence[str]) -> list[str]:
    group = " ".join(mids)
    head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {group}"]
    return [*head, "a=msid-semantic: WMS *"]
