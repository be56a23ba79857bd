"""What to answer to an offer: which m-line publishes, which subscribes, with which codec; then the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from media import rtp, sdp
from media.ice_lite import Credentials
from media.interface import Kind, SdpRefused

SUPPORTED_FINGERPRINTS = frozenset({"sha-256", "sha-384", "sha-512"})
VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
AUDIO_FEEDBACK = ("transport-cc",)
MAX_ENCODINGS = 3
PUBLISHER_EXTENSIONS = (
    rtp.MID_URI,
    rtp.RID_URI,
    rtp.REPAIRED_RID_URI,
    rtp.TRANSPORT_CC_URI,
    rtp.ABS_SEND_TIME_URI,
)
SUBSCRIBER_EXTENSIONS = (rtp.TRANSPORT_CC_URI, rtp.MID_URI)
DEPENDENCY_EXTENSIONS = (rtp.DEPENDENCY_DESCRIPTOR_URI,)
"""Of AV1: a receiver that has it need not look into the payload."""
RESTING_EXTENSIONS = PUBLISHER_EXTENSIONS + DEPENDENCY_EXTENSIONS
"""Of an m-line that may be used again, for whatever."""
CODECS = ("VP8", "VP9", "H264", "AV1", "opus")


@dataclass(frozen=True, slots=True)
class ChosenCodec:
    """The codec of one m-line: SDP's name, payload types of this m-line, and parameters as offered."""

    name: str
    payload_type: int
    clock_rate: int
    channels: int
    parameters: Mapping[str, str]
    feedback: tuple[str, ...]
    rtx_payload_type: int | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a subscribing m-line is told about the stream that it will get."""

    stream_id: str
    track_id: str
    cname: str
    ssrc: int
    rtx_ssrc: int | None


@dataclass(slots=True)
class PlannedSection:
    """One m-line of the answer. direction is ours: recvonly for a Publication."""

    section: sdp.Section
    direction: str = "inactive"
    rejected: bool = False
    codec: ChosenCodec | None = None
    extensions: dict[str, int] = field(default_factory=dict)
    rids: tuple[str, ...] = ()
    """Encodings of a Publication that come at the same time; empty where there is one."""


@dataclass(slots=True)
class Plan:
    """The decisions for one offer, before anything has changed."""

    offer: sdp.Description
    sections: list[PlannedSection]
    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]
    rtcp_reduced_size: bool

    def by_mid(self, mid: str) -> PlannedSection:
        """The m-line with this mid."""
        return next(planned for planned in self.sections if planned.section.mid == mid)


def plan(
    offer: sdp.Description,
    publishing: Mapping[str, Kind],
    subscribing: Mapping[str, ChosenCodec],
) -> Plan:
    """Decide on every m-line.

    publishing: mid -> kind of its source; subscribing: mid -> codec of the Publication wanted there.
    Raises SdpRefused.
    """
    both = publishing.keys() & subscribing.keys()
    if both:
        raise SdpRefused(f"m-line {min(both)} cannot publish and subscribe")
    live = [
        s
        for s in offer.sections
        if s.kind in ("audio", "video") and (s.port or (s.bundle_only and s.mid in offer.bundle))
    ]
    known = {s.mid for s in live}
    for mid in (*publishing, *subscribing):
        if mid not in known:
            raise SdpRefused(f"the offer has no audio or video m-line {mid}")
    if not live:
        raise SdpRefused("the offer has no m-line with media")
    _check_transport(offer, live)
    sections = []
    for section in offer.sections:
        planned = PlannedSection(section)
        sections.append(planned)
        if section not in live:
            planned.rejected = True
        elif section.mid in publishing:
            _plan_publication(planned, publishing[section.mid])
        elif section.mid in subscribing:
            _plan_subscription(planned, subscribing[section.mid])
        else:
            # Chromium offers an m-line that was answered without extensions never again with any.
            planned.extensions = _extensions(section, RESTING_EXTENSIONS)
    _check_ssrcs([s for s in live if s.mid in publishing])
    first = live[0]
    fingerprints = tuple(f for f in first.fingerprints if f[0] in SUPPORTED_FINGERPRINTS)
    reduced = all(s.rtcp_reduced_size for s in live)
    return Plan(offer, sections, first.ufrag, first.password, fingerprints, reduced)


def _check_transport(offer: sdp.Description, live: list[sdp.Section]) -> None:
    for section in live:
        if not section.mid:
            raise SdpRefused("an m-line has no mid")
        if section.protocol not in ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"):
            raise SdpRefused(f"m-line {section.mid} is not for DTLS-SRTP")
        if len(live) > 1 and section.mid not in offer.bundle:
            raise SdpRefused(f"m-line {section.mid} is not in the BUNDLE group")
        if not section.rtcp_mux:
            raise SdpRefused(f"m-line {section.mid} does not multiplex RTCP")
        if section.setup not in ("actpass", "active"):
            raise SdpRefused("the offer leaves no passive DTLS role to the server")
    if len(live[0].ufrag) < 4 or len(live[0].password) < 22:
        raise SdpRefused("the offer has no ICE credentials")
    if not any(f[0] in SUPPORTED_FINGERPRINTS for f in live[0].fingerprints):
        raise SdpRefused("the offer has no DTLS fingerprint that is supported")


def _check_ssrcs(publishing: list[sdp.Section]) -> None:
    known: set[int] = set()
    for section in publishing:
        again = known.intersection(section.ssrcs)
        if again or any(media == repair for media, repair in section.rtx_of.items()):
            raise SdpRefused(f"m-line {section.mid} names an SSRC that stands for something else already")
        known.update(section.ssrcs)


def _plan_publication(planned: PlannedSection, kind: Kind) -> None:
    section = planned.section
    if section.kind != kind:
        raise SdpRefused(f"m-line {section.mid} is {section.kind}, its source is {kind}")
    if section.direction not in ("sendonly", "sendrecv"):
        raise SdpRefused(f"m-line {section.mid} sends nothing")
    for codec in _offered(section):
        if is_supported(codec):
            planned.codec = _choose(section, codec, VIDEO_FEEDBACK if kind is Kind.VIDEO else AUDIO_FEEDBACK)
            planned.direction = "recvonly"
            planned.extensions = _extensions(section, PUBLISHER_EXTENSIONS + _of_codec(planned.codec))
            if rtp.MID_URI in planned.extensions and rtp.RID_URI in planned.extensions:
                # Their SSRCs are in no offer: only these extensions tell the encodings apart.
                planned.rids = tuple(rid for rid in section.simulcast if rid in section.rids)[:MAX_ENCODINGS]
            return
    raise SdpRefused(f"m-line {section.mid} offers no codec that is supported")


def _plan_subscription(planned: PlannedSection, wanted: ChosenCodec) -> None:
    section = planned.section
    if section.direction not in ("recvonly", "sendrecv"):
        raise SdpRefused(f"m-line {section.mid} receives nothing")
    fitting = [codec for codec in _offered(section) if _decodes(codec, wanted)]
    if not fitting:
        raise SdpRefused(f"m-line {section.mid} does not offer {wanted.name}, which its Publication uses")
    level = wanted.parameters.get("profile-level-id")
    exact = [codec for codec in fitting if codec.parameters.get("profile-level-id") == level]
    chosen = (exact or fitting)[0]
    feedback = VIDEO_FEEDBACK if section.kind == "video" else AUDIO_FEEDBACK
    # One estimate is enough: the relay's own, or the viewer's where it cannot say when packets came. What is
    # sent again as it was, without RTX, is not numbered: one SRTP index must never protect two packets that
    # differ (RFC 7714, 8.1).
    numbered = (
        "transport-cc" in chosen.feedback
        and 1 <= section.extensions.get(rtp.TRANSPORT_CC_URI, 0) <= 14
        and (section.kind == "audio" or _choose(section, chosen, feedback).rtx_payload_type is not None)
    )
    surplus = "goog-remb" if numbered else "transport-cc"
    planned.codec = _choose(section, chosen, tuple(f for f in feedback if f != surplus))
    planned.direction = "sendonly"
    planned.extensions = _extensions(section, SUBSCRIBER_EXTENSIONS + _of_codec(planned.codec))
    if not numbered:
        planned.extensions.pop(rtp.TRANSPORT_CC_URI, None)


def _offered(section: sdp.Section) -> list[sdp.Codec]:
    """Codecs in the offer's order; without those whose packets would look like RTCP (RFC 5761, 4)."""
    numbers = [int(f) for f in section.formats if f.isascii() and f.isdigit() and len(f) <= 3]
    return [
        section.codecs[n]
        for n in numbers
        if n in section.codecs and section.codecs[n].name and not 64 <= n <= 95
    ]


def is_supported(codec: sdp.Codec) -> bool:
    """Whether a publisher may use it: VP8, VP9 and AV1 of profile 0, H.264 baseline of mode 1, opus."""
    name = codec.name.upper()
    if name == "OPUS":
        return codec.clock_rate == 48000 and codec.channels == 2
    if codec.clock_rate != 90000:
        return False
    if name == "VP9":
        return codec.parameters.get("profile-id", "0") == "0"
    if name == "AV1":
        return codec.parameters.get("profile", "0") == "0"
    if name == "H264":
        return codec.parameters.get("packetization-mode") == "1" and _h264_profile(codec.parameters) == "42"
    return name == "VP8"


def _h264_profile(parameters: Mapping[str, str]) -> str:
    """profile_idc in hexadecimal; RFC 6184, 8.1 makes baseline of an absent profile-level-id."""
    return parameters.get("profile-level-id", "42000a")[:2].lower()


def _decodes(codec: sdp.Codec, wanted: ChosenCodec) -> bool:
    return is_supported(codec) and codec.name.upper() == wanted.name.upper()


def _choose(section: sdp.Section, codec: sdp.Codec, feedback: tuple[str, ...]) -> ChosenCodec:
    offered = [f for f in feedback if f in codec.feedback]
    name = next(n for n in CODECS if n.upper() == codec.name.upper())
    rtx = next(
        (
            c.payload_type
            for c in _offered(section)
            if c.name.lower() == "rtx" and c.parameters.get("apt") == str(codec.payload_type)
        ),
        None,
    )
    if "nack" not in offered:
        rtx = None
    parameters = dict(codec.parameters)
    return ChosenCodec(
        name, codec.payload_type, codec.clock_rate, codec.channels, parameters, tuple(offered), rtx
    )


def _of_codec(codec: ChosenCodec) -> tuple[str, ...]:
    return DEPENDENCY_EXTENSIONS if codec.name == "AV1" else ()


def _extensions(section: sdp.Section, wanted: tuple[str, ...]) -> dict[str, int]:
    """Those that both want; ids above 14 would need the two-byte form, which is not worth its bytes.

    A Dependency Descriptor may be longer than the one-byte form can hold, so both forms must be allowed.
    """
    if not section.mixed_extensions:
        wanted = tuple(uri for uri in wanted if uri not in DEPENDENCY_EXTENSIONS)
    return {uri: section.extensions[uri] for uri in wanted if 1 <= section.extensions.get(uri, 0) <= 14}


@dataclass(frozen=True, slots=True)
class Local:
    """What the answer says of this side. candidates: (address, port), best first."""

    session_id: int
    version: int
    credentials: Credentials
    fingerprint: tuple[str, str]
    candidates: tuple[tuple[str, int], ...]
    start_bitrate_bps: int
    max_bitrate_bps: int


def write(planned: Plan, outgoing: Mapping[str, Outgoing], local: Local) -> str:
    """The answer's text. outgoing: mid of each subscribing m-line -> its stream."""
    accepted = [p.section.mid for p in planned.sections if not p.rejected]
    lines = ["v=0", f"o=- {local.session_id} {local.version} IN IP4 0.0.0.0", "s=-", "t=0 0"]
    if planned.offer.bundle:
        lines.append("a=group:BUNDLE " + " ".join(mid for mid in planned.offer.bundle if mid in accepted))
    lines += ["a=ice-lite", "a=msid-semantic: WMS *"]
    if all(section.mixed_extensions for section in planned.offer.sections):
        lines.append("a=extmap-allow-mixed")
    with_candidates = True
    for section in planned.sections:
        if section.rejected:
            lines += _rejected(section.section)
            continue
        lines += _section(section, outgoing.get(section.section.mid), local)
        if with_candidates:
            lines += _candidates(local.candidates)
            with_candidates = False
    return "\r\n".join(lines) + "\r\n"


def _rejected(section: sdp.Section) -> list[str]:
    formats = " ".join(section.formats[:1])
    lines = [f"m={section.kind} 0 {section.protocol} {formats}", "c=IN IP4 0.0.0.0"]
    if section.mid:
        lines.append(f"a=mid:{section.mid}")
    return [*lines, "a=inactive"] if section.kind in ("audio", "video") else lines


def _section(planned: PlannedSection, outgoing: Outgoing | None, local: Local) -> list[str]:
    section = planned.section
    codecs = _answered_codecs(planned, local)
    formats = " ".join(str(codec.payload_type) for codec in codecs) or section.formats[0]
    lines = [
        f"m={section.kind} 9 {section.protocol} {formats}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{section.mid}",
        f"a=ice-ufrag:{local.credentials.ufrag}",
        f"a=ice-pwd:{local.credentials.password}",
        f"a=fingerprint:{local.fingerprint[0]} {local.fingerprint[1]}",
        "a=setup:passive",
        f"a={planned.direction}",
        "a=rtcp-mux",
    ]
    if section.rtcp_reduced_size:
        lines.append("a=rtcp-rsize")
    lines += [f"a=extmap:{number} {uri}" for uri, number in planned.extensions.items()]
    for codec in codecs:
        lines += sdp.write_codec(codec)
    if planned.rids:
        lines += [f"a=rid:{rid} recv" for rid in planned.rids]
        lines.append("a=simulcast:recv " + ";".join(planned.rids))
    if outgoing is not None:
        lines.append(f"a=msid:{outgoing.stream_id} {outgoing.track_id}")
        ssrcs = [outgoing.ssrc]
        if outgoing.rtx_ssrc is not None:
            ssrcs.append(outgoing.rtx_ssrc)
            lines.append(f"a=ssrc-group:FID {outgoing.ssrc} {outgoing.rtx_ssrc}")
        for ssrc in ssrcs:
            lines.append(f"a=ssrc:{ssrc} cname:{outgoing.cname}")
            lines.append(f"a=ssrc:{ssrc} msid:{outgoing.stream_id} {outgoing.track_id}")
    return lines


def _answered_codecs(planned: PlannedSection, local: Local) -> list[sdp.Codec]:
    chosen = planned.codec
    if chosen is None:
        # Inactive: repeat the first codec that is known, so that the m-line stays usable.
        return next(
            ([c] for c in _offered(planned.section) if is_supported(c)), _offered(planned.section)[:1]
        )
    parameters = dict(chosen.parameters)
    if planned.direction == "recvonly" and planned.section.kind == "video":
        parameters["x-google-start-bitrate"] = str(local.start_bitrate_bps // 1000)
        parameters["x-google-max-bitrate"] = str(local.max_bitrate_bps // 1000)
    codec = sdp.Codec(
        chosen.payload_type,
        chosen.name,
        chosen.clock_rate,
        chosen.channels,
        parameters,
        list(chosen.feedback),
    )
    if chosen.rtx_payload_type is None:
        return [codec]
    apt = {"apt": str(chosen.payload_type)}
    return [codec, sdp.Codec(chosen.rtx_payload_type, "rtx", chosen.clock_rate, 1, apt)]


def _candidates(candidates: tuple[tuple[str, int], ...]) -> list[str]:
    """Host candidates of component 1, priorities falling in the order given (RFC 8445, 5.1.2.1)."""
    lines = []
    for index, (address, port) in enumerate(candidates):
        priority = 126 << 24 | (65535 - index) << 8 | 255
        lines.append(f"a=candidate:{index + 1} 1 udp {priority} {address} {port} typ host")
    return [*lines, "a=end-of-candidates"]
