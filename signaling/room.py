"""The live room of one consultation: who is there, what they send, and what each of them may know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from media.interface import PublicationInfo, Source, TransportState
from records.interface import Admission, Consultation, Participant, Phase, Role
from signaling.calibrating import LiveCalibration, SeenDecoder
from signaling.capture import Capture
from signaling.consultation import ConsultationState, Place
from signaling.errors import reply
from signaling.messages import (
    AdaptationName,
    CalibrationView,
    CaptureView,
    ConsultationView,
    FidelityView,
    ParticipantView,
    PublicationView,
)
from signaling.reading import place_view
from signaling.views import emphasis_view
from signaling.waiting import DayEntry, estimated_wait, position


@dataclass(slots=True)
class Room:
    """All that is known on this node; nothing of it outlives the room but what the record holds."""

    consultation: Consultation
    site_id: str
    """Of the referring practice."""
    specialist_name: str
    participants: dict[str, Participant] = field(default_factory=dict)
    sids: dict[str, str] = field(default_factory=dict)
    """Connection of each participant who is present."""
    addresses: dict[str, str] = field(default_factory=dict)
    undoes_emphasis: dict[str, int] = field(default_factory=dict)
    """Newest version of chroma emphasis that each participant's page can undo."""
    emphasis_enabled: bool = True
    transports: dict[str, TransportState] = field(default_factory=dict)
    publications: dict[str, PublicationInfo] = field(default_factory=dict)
    muted: set[str] = field(default_factory=set)
    camera_changes: Counter[str] = field(default_factory=Counter)
    """How often another camera took over behind a Publication."""
    capture: Capture | None = None
    calibration: LiveCalibration | None = None
    decoders: dict[str, SeenDecoder] = field(default_factory=dict)
    """By participant: how their own page shows the camera that is calibrated."""
    fidelity: FidelityView | None = None
    adaptations: dict[str, AdaptationName] = field(default_factory=dict)
    """By participant: how far their path made the relay give way."""

    @property
    def consultation_id(self) -> str:
        """Its id; the relay's room has the same."""
        return self.consultation.consultation_id

    @property
    def phase(self) -> Phase:
        """Scheduled, in call or ended."""
        return self.consultation.phase

    def state(self) -> ConsultationState:
        """What the state machine of consultation.py works on."""
        return ConsultationState(
            self.phase,
            {
                one.participant_id: Place(
                    one.role, one.admission, one.consent is not None, one.waiting_since, one.words
                )
                for one in self.participants.values()
            },
        )

    def is_admitted(self, participant_id: str) -> bool:
        """Inside, while the consultation lasts."""
        one = self.participants.get(participant_id)
        return one is not None and one.admission is Admission.ADMITTED and self.phase is not Phase.ENDED

    def inside(self) -> list[str]:
        """Admitted participants who are present."""
        return [participant_id for participant_id in self.sids if self.is_admitted(participant_id)]

    def staff_inside(self) -> list[str]:
        """Staff among them."""
        return [one for one in self.inside() if self.participants[one].staff_id is not None]

    def camera_of(self, participant_id: str) -> str | None:
        """publication_id of a participant's camera."""
        for publication in self.publications.values():
            if publication.participant_id == participant_id and publication.source is Source.CAMERA:
                return publication.publication_id
        return None

    def can_show(self, participant_id: str, publication_id: str) -> bool:
        """Whether a participant's page shows this Publication in its true colors, as far as it is known."""
        publication = self.publications.get(publication_id)
        if publication is None or publication.emphasis is None:
            return True
        return self.undoes_emphasis.get(participant_id, 0) >= publication.emphasis.version

    def emphasis_version(self, participant_id: str) -> int:
        """The chroma emphasis that a participant's camera may be sent with: see ConsultationView."""
        if not self.emphasis_enabled:
            return 0
        # Whoever is away for a moment comes back with the same page, most of the time.
        return min(
            (
                version
                for viewer, version in self.undoes_emphasis.items()
                if viewer != participant_id and self.is_admitted(viewer)
            ),
            default=0,
        )

    def camera_to_calibrate(self) -> str | None:
        """The camera on the skin, while somebody else looks: the patient's, else the referring site's."""
        for role in (Role.PATIENT, Role.REFERRER):
            for one in self.participants.values():
                camera = self.camera_of(one.participant_id) if one.role is role else None
                if camera is not None and any(viewer != one.participant_id for viewer in self.inside()):
                    return camera
        return None

    def forget_media_of(self, participant_id: str) -> None:
        """Their transport and Publications are gone."""
        self.transports.pop(participant_id, None)
        for publication_id in [
            one.publication_id for one in self.publications.values() if one.participant_id == participant_id
        ]:
            self.publications.pop(publication_id)
            self.muted.discard(publication_id)
            self.camera_changes.pop(publication_id, None)

    def view(self, participant_id: str, day: Sequence[DayEntry], now: datetime) -> ConsultationView:
        """What one participant may know: see ConsultationView."""
        you = self.participants[participant_id]
        inside = self.is_admitted(participant_id)
        waits = you.waiting_since is not None and self.phase is not Phase.ENDED
        day = self._day_with_now(day)
        wait = estimated_wait(day, self.consultation_id, now) if waits else None
        return ConsultationView(
            consultation_id=self.consultation_id,
            phase=self.phase.value,
            scheduled_at=self.consultation.scheduled_at,
            server_time=now,
            specialist_name=self.specialist_name,
            you=self._participant_view(you),
            position=position(day, self.consultation_id) if waits else None,
            estimated_wait_s=round(wait.total_seconds()) if wait is not None else None,
            words=you.words,
            consent_given=you.consent is not None,
            satisfaction_given=you.satisfaction_given,
            participants=[self._participant_view(one) for one in self._known_to(you, inside)],
            publications=self._publication_views(participant_id) if inside else [],
            capture=capture_view(self.capture, self.sids) if inside and self.capture is not None else None,
            calibration=self.calibration_view(participant_id) if inside else None,
            emphasis_version=self.emphasis_version(participant_id) if inside else 0,
            fidelity=self.fidelity if inside else None,
            adaptation=self.adaptations.get(participant_id, "full"),
        )

    def calibration_view(self, participant_id: str) -> CalibrationView | None:
        """What is known of the live color, in the picture that this participant's page shows."""
        if self.calibration is None:
            return None
        seen = self.decoders.get(participant_id)
        return self.calibration.view(seen.standing, seen.report) if seen else self.calibration.view()

    def _day_with_now(self, day: Sequence[DayEntry]) -> list[DayEntry]:
        """The day as it was last read, with this consultation as it is now."""
        waits = [one.waiting_since for one in self.participants.values() if one.waiting_since is not None]
        own = DayEntry(
            self.consultation_id,
            self.consultation.scheduled_at,
            min(waits, default=None) if self.phase is not Phase.ENDED else None,
            self.consultation.started_at if self.phase is Phase.IN_CALL else None,
            None,
        )
        return [*(entry for entry in day if entry.consultation_id != self.consultation_id), own]

    def _known_to(self, you: Participant, inside: bool) -> list[Participant]:
        """The specialist sees everybody with a place, those inside see each other, others only themselves."""
        if you.role is Role.SPECIALIST:
            return list(self.participants.values())
        return [
            one
            for one in self.participants.values()
            if one.participant_id == you.participant_id or (inside and self.is_admitted(one.participant_id))
        ]

    def _participant_view(self, one: Participant) -> ParticipantView:
        transport = self.transports.get(one.participant_id)
        known = transport is not None and transport is not TransportState.CLOSED
        return place_view(
            one,
            present=one.participant_id in self.sids,
            media=transport.value if transport is not None and known else "none",
        )

    def _publication_views(self, viewer_id: str) -> list[PublicationView]:
        return [
            PublicationView(
                publication_id=one.publication_id,
                participant_id=one.participant_id,
                source=one.source.value,
                kind=one.kind.value,
                codec=one.codec,
                muted=one.publication_id in self.muted,
                emphasis=emphasis_view(one.emphasis),
            )
            for one in self.publications.values()
            if self.is_admitted(one.participant_id)
            and (one.participant_id == viewer_id or self.can_show(viewer_id, one.publication_id))
        ]


def capture_view(capture: Capture, present: Container[str]) -> CaptureView:
    """A capture for those in the room. present: participant_ids whose device is connected."""
    return CaptureView(
        capture_id=capture.capture_id,
        state=capture.state,
        sent_bytes=capture.sent_bytes,
        size_bytes=capture.size_bytes,
        error=reply(capture.error_id).error if capture.error_id is not None else None,
        snapshot_id=capture.snapshot_id,
        held_by_device=capture.held and capture.participant_id in present,
    )
