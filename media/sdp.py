"""The subset of SDP that WebRTC peers write, as values (RFC 8866, RFC 8829)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from media.interface import SdpRefused

MAX_SDP_LENGTH = 200_000
MAX_SECTIONS = 64
MAX_CODECS = 64
DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]{1,64}")
_RID = re.compile(r"[A-Za-z0-9_-]{1,16}")
_ICE = re.compile(r"[A-Za-z0-9+/=\-_#:]{1,256}")
_FINGERPRINT = re.compile(r"([A-Za-z0-9-]{1,16}) ((?:[0-9A-Fa-f]{2}:){15,63}[0-9A-Fa-f]{2})")


@dataclass(slots=True)
class Codec:
    """One payload type of an m-line. parameters: of a=fmtp; feedback: values of a=rtcp-fb."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: dict[str, str] = field(default_factory=dict)
    feedback: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Section:
    """One m-line with its attributes. formats are the payload types in order of preference."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str = ""
    direction: str = "sendrecv"
    codecs: dict[int, Codec] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    ssrcs: list[int] = field(default_factory=list)
    rtx_of: dict[int, int] = field(default_factory=dict)
    """By a=ssrc-group:FID, the SSRC of the media -> that of its retransmissions."""
    rids: list[str] = field(default_factory=list)
    """Names of the encodings that a=rid says are sent (RFC 8851)."""
    simulcast: list[str] = field(default_factory=list)
    """Those of them that a=simulcast sends at the same time, the first of alternatives (RFC 8853, 5.1)."""
    ufrag: str = ""
    password: str = ""
    fingerprints: list[tuple[str, str]] = field(default_factory=list)
    setup: str = ""
    rtcp_mux: bool = False
    rtcp_reduced_size: bool = False
    mixed_extensions: bool = False
    """Header extensions in one- and two-byte form may follow each other (RFC 8285, 6)."""
    bundle_only: bool = False
    """Port 0, but alive with the rest of its bundle (RFC 8843, 6)."""


@dataclass(slots=True)
class Description:
    """A session description; session-level ICE and DTLS attributes are copied into its sections."""

    session_id: str
    bundle: list[str]
    sections: list[Section]


def _number(text: str, low: int, high: int, what: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not low <= int(text) <= high:
        raise SdpRefused(f"{what} is no number from {low} to {high}")
    return int(text)


def _matched(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise SdpRefused(f"{what} is malformed")
    return text


def parse(text: str) -> Description:
    """Parse a description. Unknown lines are passed over; raises SdpRefused for what cannot be read."""
    if len(text) > MAX_SDP_LENGTH:
        raise SdpRefused("the description is too long")
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines or lines[0] != "v=0":
        raise SdpRefused("the description does not begin with v=0")
    session = Section("", 0, "", [])
    found = Description("", [], [])
    section = session
    for line in lines[1:]:
        if not line:
            continue
        kind, equals, value = line.partition("=")
        if len(kind) != 1 or not equals:
            raise SdpRefused("a line has no type")
        if kind == "m":
            if len(found.sections) >= MAX_SECTIONS:
                raise SdpRefused(f"more than {MAX_SECTIONS} m-lines")
            section = _media_line(value)
            section.direction = session.direction
            found.sections.append(section)
        elif kind == "o":
            parts = value.split(" ")
            if len(parts) != 6:
                raise SdpRefused("o= has not six fields")
            found.session_id = parts[1]
        elif kind == "a":
            name, _, argument = value.partition(":")
            if section is session and name == "group":
                groups = argument.split()
                if groups and groups[0] == "BUNDLE":
                    found.bundle = groups[1:]
            else:
                _attribute(section, name, argument)
    for each in found.sections:
        each.ufrag = each.ufrag or session.ufrag
        each.password = each.password or session.password
        each.fingerprints = each.fingerprints or session.fingerprints
        each.setup = each.setup or session.setup
        each.mixed_extensions = each.mixed_extensions or session.mixed_extensions
        for codec in each.codecs.values():
            codec.feedback.extend(f for f in _wildcard_feedback(each) if f not in codec.feedback)
    mids = [each.mid for each in found.sections]
    if len(set(mids)) != len(mids):
        raise SdpRefused("two m-lines have the same mid")
    return found


def _wildcard_feedback(section: Section) -> list[str]:
    wildcard = section.codecs.get(-1)
    return wildcard.feedback if wildcard is not None else []


def _media_line(value: str) -> Section:
    parts = value.split(" ")
    if len(parts) < 4 or len(parts) > 3 + MAX_CODECS:
        raise SdpRefused("an m-line has too few or too many fields")
    kind, port, protocol, *formats = parts
    return Section(_matched(_TOKEN, kind, "media type"), _number(port, 0, 65535, "port"), protocol, formats)


def _codec(section: Section, payload_type: str) -> Codec:
    """The codec of a payload type that fmtp, rtcp-fb or rtpmap names; static ones have an rtpmap here too."""
    number = -1 if payload_type == "*" else _number(payload_type, 0, 127, "payload type")
    codec = section.codecs.get(number)
    if codec is None:
        codec = section.codecs[number] = Codec(number, "", 0)
    return codec


def _attribute(section: Section, name: str, argument: str) -> None:
    if name in DIRECTIONS:
        section.direction = name
    elif name == "rtpmap":
        number, _, rest = argument.partition(" ")
        encoding, _, rates = rest.strip().partition("/")
        rate, _, channels = rates.partition("/")
        codec = _codec(section, number)
        codec.name = _matched(_TOKEN, encoding, "encoding name")
        codec.clock_rate = _number(rate, 1, 10_000_000, "clock rate")
        codec.channels = _number(channels, 1, 255, "channels") if channels else 1
    elif name == "fmtp":
        number, _, rest = argument.partition(" ")
        for item in rest.split(";")[:64]:
            key, _, value = item.strip().partition("=")
            if key:
                _codec(section, number).parameters[key.lower()] = value
    elif name == "rtcp-fb":
        number, _, rest = argument.partition(" ")
        codec = _codec(section, number)
        if len(codec.feedback) < 32:
            codec.feedback.append(rest.strip())
    elif name == "extmap":
        number, _, rest = argument.partition(" ")
        words = rest.split()
        if not words:
            raise SdpRefused("extmap has no name")
        if len(section.extensions) < 64:
            section.extensions[words[0]] = _number(number.partition("/")[0], 1, 65535, "extmap")
    elif name == "mid":
        section.mid = _matched(_TOKEN, argument, "mid")
    elif name == "ice-ufrag":
        section.ufrag = _matched(_ICE, argument, "ice-ufrag")
    elif name == "ice-pwd":
        section.password = _matched(_ICE, argument, "ice-pwd")
    elif name == "fingerprint":
        match = _FINGERPRINT.fullmatch(argument.strip())
        if match is None:
            raise SdpRefused("fingerprint is malformed")
        if len(section.fingerprints) < 8:
            section.fingerprints.append((match[1].lower(), match[2].upper()))
    elif name == "setup":
        section.setup = argument.strip()
    elif name == "rtcp-mux":
        section.rtcp_mux = True
    elif name == "rtcp-rsize":
        section.rtcp_reduced_size = True
    elif name == "extmap-allow-mixed":
        section.mixed_extensions = True
    elif name == "bundle-only":
        section.bundle_only = True
    elif name == "ssrc":
        ssrc = _number(argument.partition(" ")[0], 0, 0xFFFFFFFF, "ssrc")
        if ssrc not in section.ssrcs and len(section.ssrcs) < 32:
            section.ssrcs.append(ssrc)
    elif name == "rid":
        words = argument.split()
        if len(words) >= 2 and words[1] == "send" and _RID.fullmatch(words[0]) and len(section.rids) < 16:
            section.rids.append(words[0])
    elif name == "simulcast":
        words = argument.split()
        directions = dict(zip(words[::2], words[1::2], strict=False))
        for alternatives in directions.get("send", "").split(";")[:16]:
            rid = alternatives.split(",")[0].removeprefix("~")
            if rid and rid not in section.simulcast:
                section.simulcast.append(rid)
    elif name == "ssrc-group":
        words = argument.split()
        if len(words) == 3 and words[0] == "FID":
            media, repair = (_number(word, 0, 0xFFFFFFFF, "ssrc") for word in words[1:])
            section.rtx_of[media] = repair


def write_codec(codec: Codec) -> list[str]:
    """Lines rtpmap, rtcp-fb and fmtp of one payload type."""
    number = codec.payload_type
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    lines = [f"a=rtpmap:{number} {codec.name}/{codec.clock_rate}{channels}"]
    lines += [f"a=rtcp-fb:{number} {feedback}" for feedback in codec.feedback]
    if codec.parameters:
        items = ";".join(f"{k}={v}" if v else k for k, v in codec.parameters.items())
        lines.append(f"a=fmtp:{number} {items}")
    return lines
