"""Who is in which room, what each sends and what each receives; negotiated plans are put into effect here."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from media.adaptation import best
from media.answer import Outgoing, Plan, PlannedSection
from media.congestion.allocation import FULL_FPS, Budget
from media.fanout import Fanout
from media.interface import (
    BudgetChanged,
    ChromaEmphasis,
    Kind,
    MediaEvent,
    PublicationEnded,
    PublicationInfo,
    Source,
    TransportChanged,
    TransportState,
    UnknownPublication,
)
from media.packet_path import PacketPath
from media.participant import Participant
from media.publication import Publication
from media.rtp import DEPENDENCY_DESCRIPTOR_URI, MID_URI, TRANSPORT_CC_URI
from media.subscription import Subscription
from media.viewer import Receiving


class Rooms:
    """Tables of participants and Publications. emit: told of every end. path: makes what carries packets."""

    def __init__(self, emit: Callable[[MediaEvent], None], path: PacketPath) -> None:
        self.participants: dict[tuple[str, str], Participant] = {}
        self.fanouts: dict[str, Fanout] = {}
        self._emit = emit
        self._path = path
        self._sent = 0
        self._refused = 0
        self._lost = 0
        self._frozen_s = 0.0

    def find(self, room_id: str, publication_id: str) -> Fanout:
        """A Publication of a room. Raises UnknownPublication."""
        fanout = self.fanouts.get(publication_id)
        if fanout is None or fanout.publication.info.room_id != room_id:
            raise UnknownPublication("no Publication of this room has this id")
        return fanout

    def packets(self) -> tuple[int, int]:
        """(sent, not taken by the system) since the start."""
        fanouts = self.fanouts.values()
        sent = self._sent + sum(fanout.packets_sent for fanout in fanouts)
        return sent, self._refused + sum(fanout.packets_refused for fanout in fanouts)

    def losses(self) -> tuple[int, float]:
        """(packets that viewers report lost, seconds that pictures stood still for them) since the start."""
        deliveries = [r.delivery for p in self.participants.values() for r in p.receiving.values()]
        lost = self._lost + sum(delivery.packets_lost for delivery in deliveries)
        return lost, self._frozen_s + sum(delivery.frozen_s for delivery in deliveries)

    def publish(
        self,
        participant: Participant,
        plan: Plan,
        sources: Mapping[str, Source],
        emphasis: Mapping[str, ChromaEmphasis],
        *,
        is_patient: bool = False,
    ) -> None:
        """Begin, keep or end a participant's Publications. sources, emphasis: by mid."""
        for mid, fanout in list(participant.sending.items()):
            publication, planned = fanout.publication, plan.by_mid(mid)
            info = publication.info
            same = info.source == sources.get(mid) and info.emphasis == emphasis.get(mid)
            if not same or (publication.codec, publication.rids) != (planned.codec, planned.rids):
                del participant.sending[mid]
                self._end(fanout)
        for mid, fanout in participant.sending.items():
            fanout.publication.dependency_extension = _dependency_extension(plan.by_mid(mid))
        for mid, source in sources.items():
            chosen = plan.by_mid(mid).codec
            if mid in participant.sending or chosen is None:
                continue
            info = PublicationInfo(
                publication_id=secrets.token_urlsafe(12),
                room_id=participant.room_id,
                participant_id=participant.participant_id,
                kind=Kind.AUDIO if source is Source.MICROPHONE else Kind.VIDEO,
                source=source,
                codec=chosen.name,
                emphasis=emphasis.get(mid),
                is_patient=is_patient,
            )
            rids = plan.by_mid(mid).rids
            fanout = self._path.fanout(info, chosen, participant.feedback_ssrc, rids)
            fanout.publication.dependency_extension = _dependency_extension(plan.by_mid(mid))
            participant.sending[mid] = self.fanouts[info.publication_id] = fanout

    def subscribe(
        self, participant: Participant, plan: Plan, wanted: Mapping[str, Fanout]
    ) -> dict[str, Outgoing]:
        """Begin, switch or end a participant's Subscriptions; what each answer says of its stream."""
        for mid, receiving in list(participant.receiving.items()):
            if mid not in wanted or plan.by_mid(mid).codec != receiving.subscription.codec:
                self._end_receiving(receiving)
                del participant.receiving[mid]
        outgoing: dict[str, Outgoing] = {}
        for mid, fanout in wanted.items():
            planned = plan.by_mid(mid)
            if planned.codec is None:
                continue
            current = participant.receiving.get(mid)
            if current is None:
                subscription = self._new_subscription(participant, fanout.publication, planned)
                participant.receiving[mid] = Receiving(subscription, fanout)
                _connect(participant, subscription, fanout)
            else:
                subscription = current.subscription
                if current.fanout is not fanout:
                    current.fanout.remove(subscription)
                    current.fanout = fanout
                    subscription.attach(fanout.publication)
                    _connect(participant, subscription, fanout)
            outgoing[mid] = _outgoing(fanout.publication.info, subscription)
        return outgoing

    def refresh_budgets(self) -> None:
        """Tell publishers what the best of their viewers can take, where that has changed."""
        found: dict[str, list[Budget]] = {}
        for participant in self.participants.values():
            participant.viewer.budget_fell = False
            for budget in participant.viewer.path.allocation.budgets:
                found.setdefault(budget.stream_id, []).append(budget)
        for publication_id, fanout in self.fanouts.items():
            publication = fanout.publication
            wanted = best(found[publication_id]) if publication_id in found else None
            if not publication.is_video or not publication.set_budget(wanted):
                continue
            key = (publication.info.room_id, publication.info.participant_id)
            publisher = self.participants[key]
            publisher.cap_changed()
            bitrate_bps, max_framerate = wanted or (publisher.max_publication_bps, FULL_FPS)
            self._emit(BudgetChanged(*key, publication_id, bitrate_bps, max_framerate))

    def _new_subscription(
        self, viewer: Participant, publication: Publication, planned: PlannedSection
    ) -> Subscription:
        codec = planned.codec
        assert codec is not None
        mid_extension = planned.extensions.get(MID_URI)
        mid = planned.section.mid.encode()
        named = [(mid_extension, mid)] if mid_extension is not None and len(mid) <= 16 else []
        number_extension = planned.extensions.get(TRANSPORT_CC_URI)
        if number_extension is not None:
            named.insert(0, (number_extension, bytes(2)))  # first: viewer_path.NUMBER_AT
        return self._path.subscription(
            viewer.path,
            publication,
            codec,
            ssrc=secrets.randbits(32),
            rtx_ssrc=secrets.randbits(32) if codec.rtx_payload_type is not None else None,
            extensions=named,
            dependency_extension=_dependency_extension(planned),
            first_sequence=secrets.randbits(15),
            first_timestamp=secrets.randbits(32),
            numbered=number_extension is not None,
        )

    def remove(self, participant: Participant) -> None:
        """Forget a participant and all it sends and receives. Its transport is the caller's to close."""
        key = (participant.room_id, participant.participant_id)
        del self.participants[key]
        for receiving in participant.receiving.values():
            self._end_receiving(receiving)
        participant.receiving.clear()
        for fanout in participant.sending.values():
            self._end(fanout)
        participant.sending.clear()
        self._emit(TransportChanged(*key, TransportState.CLOSED))

    def _end_receiving(self, receiving: Receiving) -> None:
        receiving.fanout.remove(receiving.subscription)
        self._lost += receiving.delivery.packets_lost
        self._frozen_s += receiving.delivery.frozen_s

    def _end(self, fanout: Fanout) -> None:
        fanout.end_watch()
        self.fanouts.pop(fanout.publication.info.publication_id, None)
        self._sent += fanout.packets_sent
        self._refused += fanout.packets_refused
        if fanout.announced:
            self._emit(PublicationEnded(fanout.publication.info))


def _connect(participant: Participant, subscription: Subscription, fanout: Fanout) -> None:
    viewer, transport = participant.viewer, participant.transport
    send_rtp = viewer.sender(subscription, transport.send_rtp)
    fanout.add(subscription, send_rtp, viewer.report_sender(transport.send_rtcp))


def _dependency_extension(planned: PlannedSection) -> int:
    return planned.extensions.get(DEPENDENCY_DESCRIPTOR_URI, 0)


def _outgoing(info: PublicationInfo, subscription: Subscription) -> Outgoing:
    # Camera and microphone share a stream, so that the browser keeps lips and voice together.
    stream_id = info.participant_id + ("-screen" if info.source is Source.SCREEN else "")
    return Outgoing(
        stream_id, info.publication_id, info.participant_id, subscription.ssrc, subscription.rtx_ssrc
    )
