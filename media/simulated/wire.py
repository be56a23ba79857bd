"""The part of the consultation's messages that a patient's device needs; what else comes is ignored."""

from __future__ import annotations

import ipaddress
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct


class PatientError(Exception):
    """The simulated patient cannot go on; `error_id` is the server's where the server refused."""

    def __init__(self, error_id: str, message: str) -> None:
        super().__init__(message)
        self.error_id = error_id


class LinkRefused(PatientError):
    """The link opens nothing (any more): trying again is of no use."""


class Refusal(Struct):
    """What the server says when it refuses."""

    id: str
    message: str


class Refused(Struct):
    """An error reply."""

    error: Refusal


class Joined(Struct):
    """What the link opens."""

    consultation_id: str
    phase: str
    language: str
    consent_given: bool
    satisfaction_given: bool


class ConsentText(Struct):
    """What is agreed to."""

    version: str
    language: str
    sha256: str


class IceServer(Struct):
    """A STUN or TURN server."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Ice(Struct):
    """Servers for the call."""

    ice_servers: list[IceServer]


class You(Struct):
    """Oneself in the room."""

    participant_id: str
    admission: str
    media: str


class RoomPublication(Struct):
    """What somebody in the room sends."""

    publication_id: str
    participant_id: str
    kind: str


class State(Struct):
    """The consultation as this participant may see it."""

    consultation_id: str
    phase: str
    you: You
    satisfaction_given: bool
    publications: list[RoomPublication]
    emphasis_version: int = 0

    def others(self) -> tuple[RoomPublication, ...]:
        """Publications of other participants: what to subscribe to."""
        return tuple(p for p in self.publications if p.participant_id != self.you.participant_id)


class Negotiated(Struct):
    """The relay's answer."""

    sdp: str
    publications: dict[str, str]


class CaptureTake(Struct):
    """A still is wanted."""

    capture_id: str
    consultation_id: str


class Upload(Struct):
    """An upload that the server has begun."""

    upload_id: str
    offset_bytes: int


class Link(Struct, frozen=True):
    """A personal link, taken apart: the origin of the server, and the token that never leaves the headers."""

    origin: str
    token: str

    @classmethod
    def parse(cls, link: str) -> Link:
        """Take https://host/p/#TOKEN. Raises PatientError."""
        parts = urlsplit(link)
        if parts.scheme not in ("https", "http") or not parts.hostname or not parts.fragment:
            raise PatientError("link.malformed", "not a personal link")
        return cls(f"{parts.scheme}://{parts.netloc}", parts.fragment)

    @property
    def on_this_host(self) -> bool:
        """The server is reached by loopback: its certificate proves nothing, and no network is needed."""
        host = urlsplit(self.origin).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")


def accepted(reply: Any) -> Any:
    """The reply itself. Raises PatientError when it is a refusal."""
    if isinstance(reply, dict) and "error" in reply:
        refusal = read(reply, Refused).error
        raise PatientError(refusal.id, refusal.message)
    return reply


_Message = TypeVar("_Message")


def read(message: Any, type_: type[_Message]) -> _Message:
    """Read a reply or an event, already parsed from JSON. Raises PatientError when it is another thing."""
    try:
        return msgspec.convert(message, type_)
    except msgspec.ValidationError as error:
        raise PatientError("server.unreadable", f"{type_.__name__}: {error}") from error
