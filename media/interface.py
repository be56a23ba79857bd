"""What the media part offers to whoever composes it: the relay's Protocol, and all that it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

from media.errors import EmphasisRefused, MediaError, SdpRefused, UnknownPublication
from media.events import (
    BudgetChanged,
    MediaEvent,
    PublicationAdded,
    PublicationEnded,
    TransportChanged,
)
from media.layers import LayerTarget
from media.statistics import (
    AdaptationLevel,
    EncodingStats,
    PathStats,
    PublicationStats,
    RelayStats,
    SubscriptionStats,
)
from media.values import (
    ChromaEmphasis,
    Fidelity,
    FidelityReason,
    Kind,
    MediaConfig,
    Negotiation,
    PublicationInfo,
    Purpose,
    Source,
    StatedMatrix,
    TappedFrame,
    TransportState,
)

__all__ = [
    "AdaptationLevel",
    "BudgetChanged",
    "ChromaEmphasis",
    "EmphasisRefused",
    "EncodingStats",
    "Fidelity",
    "FidelityReason",
    "Kind",
    "LayerTarget",
    "MediaConfig",
    "MediaError",
    "MediaEvent",
    "Negotiation",
    "PathStats",
    "PublicationAdded",
    "PublicationEnded",
    "PublicationInfo",
    "PublicationStats",
    "Purpose",
    "Relay",
    "RelayStats",
    "SdpRefused",
    "Source",
    "StatedMatrix",
    "SubscriptionStats",
    "TappedFrame",
    "TransportChanged",
    "TransportState",
    "UnknownPublication",
]


class Relay(Protocol):
    """A media worker: one UDP port, any number of rooms. Not thread-safe; lives on one event loop."""

    @property
    def port(self) -> int:
        """The UDP port in use."""

    def subscribe_events(self, listener: Callable[[MediaEvent], None]) -> None:
        """Call listener, on the loop's thread, at every event from now on."""

    async def negotiate(
        self,
        room_id: str,
        participant_id: str,
        sdp: str,
        publications: Mapping[str, Source],
        subscriptions: Mapping[str, str],
        remote_hint: str | None = None,
        emphasis: Mapping[str, ChromaEmphasis] = MappingProxyType({}),
        *,
        is_patient: bool = False,
    ) -> Negotiation:
        """Answer a participant's offer.

        publications: mid of each sendonly m-line -> what it is. subscriptions: mid of each recvonly m-line
        -> publication_id of the same room (a mid left out is answered inactive). emphasis: mid of each
        sendonly video m-line whose chroma is stretched -> how; another one than before ends the Publication
        and begins a new one. The participant always
        offers, so negotiations of one participant never meet. The same DTLS fingerprint with new ICE
        credentials is an ICE restart; another fingerprint replaces the old connection. remote_hint: the
        address the request came from, used only to announce loopback to a participant on this host.
        is_patient: the participant's camera shows the patient, and is the last picture to give way on a
        viewer's path. Raises SdpRefused, UnknownPublication, EmphasisRefused; nothing has changed then.
        """

    async def leave(self, room_id: str, participant_id: str) -> None:
        """End a participant's transport, Publications and Subscriptions. Unknown ones are ignored."""

    async def close_room(self, room_id: str) -> None:
        """End every transport of a room."""

    def publications(self, room_id: str) -> tuple[PublicationInfo, ...]:
        """Publications of a room that have begun."""

    def set_cap(self, publication_id: str, bitrate_bps: int | None) -> None:
        """Cap what a publisher may send from now on (REMB); None lifts the cap to the configured one."""

    def set_layer(self, room_id: str, participant_id: str, publication_id: str, target: LayerTarget) -> None:
        """What one viewer should get of a Publication from now on, at most.

        Raises UnknownPublication where the participant receives no such one.
        """

    def watch(self, publication_id: str, listener: Callable[[TappedFrame], None]) -> Callable[[], None]:
        """Tap a video Publication: decode it at a low rate and call listener on the loop's thread.

        One decode per Publication, however many watch. Returns the function that ends the watch.
        """

    def best_frame(self, publication_id: str) -> TappedFrame | None:
        """The sharpest frame tapped in the last two seconds, or None when nothing watches."""

    def publication_stats(self, publication_id: str) -> PublicationStats | None:
        """Counters of one Publication, or None."""

    def subscription_stats(self, room_id: str, participant_id: str) -> tuple[SubscriptionStats, ...]:
        """What a participant is given of each Publication that it receives; () where there is none."""

    def path_stats(self, room_id: str, participant_id: str) -> PathStats | None:
        """A participant's path towards it, or None when there is no such participant."""

    def fidelity(self, publication_id: str) -> Fidelity | None:
        """How far a video Publication's picture may be trusted now, or None; to be asked twice a second."""

    def stats(self) -> RelayStats:
        """Counters of the worker."""

    async def stop(self) -> None:
        """Close the port and everything on it."""
