"""What a worker tells its listeners of: Publications, transports, budgets."""

from __future__ import annotations

from dataclasses import dataclass

from media.values import PublicationInfo, TransportState


@dataclass(frozen=True, slots=True)
class PublicationAdded:
    """A Publication has begun: a first packet of it, or of its participant's others, was authenticated."""

    publication: PublicationInfo


@dataclass(frozen=True, slots=True)
class PublicationEnded:
    """A Publication is gone: its participant left, or its m-line was stopped."""

    publication: PublicationInfo


@dataclass(frozen=True, slots=True)
class TransportChanged:
    """A participant's transport has a new state."""

    room_id: str
    participant_id: str
    state: TransportState


@dataclass(frozen=True, slots=True)
class BudgetChanged:
    """What the best of a Publication's viewers can take has changed: its publisher is to send so much.

    bitrate_bps: IP and UDP headers included; the same as is told to it by REMB. max_framerate: frames per
    second at which full resolution fits; 0: nobody can take it now.
    """

    room_id: str
    participant_id: str
    publication_id: str
    bitrate_bps: int
    max_framerate: float


MediaEvent = PublicationAdded | PublicationEnded | TransportChanged | BudgetChanged
