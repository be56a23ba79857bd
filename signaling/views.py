"""From values of the record and the relay to what goes over the wire; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from colorcal.interface import CalibrationReport, StillQuality
from media.interface import ChromaEmphasis
from records.interface import (
    ChatLine,
    Consultation,
    Patient,
    Referral,
    Satisfaction,
    Snapshot,
    Staff,
    Variant,
)
from signaling.messages import (
    CalibrationReportView,
    ChatView,
    ChromaEmphasisView,
    DisplayCheckView,
    PatientView,
    ReferralView,
    SatisfactionView,
    SnapshotView,
    StaffView,
    StillQualityView,
    TimelineConsultation,
    VariantName,
)


def encode(message: msgspec.Struct) -> Any:
    """A message as JSON values for Socket.IO; bytes stay bytes and become binary attachments."""
    return msgspec.to_builtins(message, builtin_types=(bytes,))


def report_values(report: CalibrationReport) -> Mapping[str, Any]:
    """A report as JSON values, as it is kept in the record."""
    values: Mapping[str, Any] = msgspec.to_builtins(report)
    return values


def report_view(values: Mapping[str, Any]) -> CalibrationReportView:
    """A report as it was kept in the record."""
    return msgspec.convert(values, CalibrationReportView)


def quality_values(quality: StillQuality, *, correctable: bool) -> Mapping[str, Any]:
    """A still's quality as JSON values, as it is kept in the record with its display picture."""
    return {**msgspec.to_builtins(quality), "correctable": correctable}


def quality_view(snapshot: Snapshot) -> StillQualityView | None:
    """A still's quality as it was kept; None until it is judged, and for pictures from before it was."""
    reports = [image.report for image in snapshot.derived if image.variant is Variant.DISPLAY]
    values = next((report for report in reports if report is not None), None)
    return msgspec.convert(values, StillQualityView) if values is not None else None


def lacks_pictures(snapshot: SnapshotView) -> bool:
    """Whether something is to be derived yet of an original."""
    if "display" not in snapshot.variants:
        return True
    correctable = snapshot.quality is not None and snapshot.quality.correctable
    return correctable and "corrected" not in snapshot.variants


def emphasis_view(emphasis: ChromaEmphasis | None) -> ChromaEmphasisView | None:
    """How a Publication's chroma is stretched."""
    if emphasis is None:
        return None
    return ChromaEmphasisView(emphasis.version, emphasis.center_u, emphasis.center_v, emphasis.softness)


def emphasis_from_wire(view: ChromaEmphasisView) -> ChromaEmphasis:
    """The same as the relay has it."""
    return ChromaEmphasis(view.version, view.center_u, view.center_v, view.softness)


def staff_view(staff: Staff, site_name: str) -> StaffView:
    """Who is signed in."""
    return StaffView(staff.staff_id, staff.name, staff.role.value, site_name, language(staff.language))  # type: ignore[arg-type]


def language(code: str) -> Any:
    """zh or en."""
    return "zh" if code.startswith("zh") else "en"


def patient_view(patient: Patient) -> PatientView:
    """A patient, without the address itself."""
    return PatientView(
        patient_id=patient.patient_id,
        name=patient.name,
        birth_date=patient.birth_date,
        sex=patient.sex,  # type: ignore[arg-type]
        language=language(patient.language),
        has_email=bool(patient.email),
    )


def snapshot_view(snapshot: Snapshot) -> SnapshotView:
    """A snapshot with the names of its pictures."""
    variants: list[VariantName] = ["original"]
    variants += [image.variant.value for image in snapshot.derived if image.variant.value not in variants]
    return SnapshotView(
        snapshot_id=snapshot.snapshot_id,
        consultation_id=snapshot.consultation_id,
        referral_id=snapshot.referral_id,
        method=snapshot.method.value,
        taken_at=snapshot.taken_at,
        stored_at=snapshot.stored_at,
        media_type=snapshot.media_type,
        size_bytes=snapshot.size_bytes,
        sha256=snapshot.sha256,
        width_px=snapshot.width_px,
        height_px=snapshot.height_px,
        device=snapshot.device,
        has_location=snapshot.has_location,
        variants=variants,
        calibration=report_view(snapshot.calibration) if snapshot.calibration is not None else None,
        quality=quality_view(snapshot),
    )


def referral_view(
    referral: Referral,
    consultation: Consultation | None,
    photos: Sequence[Snapshot],
    site_name: str,
    referrer_name: str,
) -> ReferralView:
    """A referral; the answer is the note, once the consultation has ended."""
    ended = consultation is not None and consultation.ended_at is not None
    return ReferralView(
        referral_id=referral.referral_id,
        patient=patient_view(referral.patient),
        question=referral.question,
        urgency=referral.urgency.value,
        state=referral.state.value,
        site_name=site_name,
        referrer_name=referrer_name,
        created_at=referral.created_at,
        consultation_id=referral.consultation_id,
        scheduled_at=consultation.scheduled_at if consultation is not None else None,
        decline_reason=referral.decline_reason,
        photos=[snapshot_view(photo) for photo in photos],
        answer=consultation.note if consultation is not None and ended else None,
    )


def chat_view(line: ChatLine) -> ChatView:
    """A line of the chat."""
    return ChatView(line.line_id, line.participant_id, line.name, line.role.value, line.text, line.sent_at)  # type: ignore[arg-type]


def satisfaction_view(answer: Satisfaction) -> SatisfactionView:
    """The patient's answer."""
    return SatisfactionView(answer.consultation_id, answer.score, answer.words, answer.given_at)


def timeline_consultation(consultation: Consultation, *, with_note: bool) -> TimelineConsultation:
    """A consultation in the timeline; its note is a draft until it has ended."""
    return TimelineConsultation(
        consultation_id=consultation.consultation_id,
        scheduled_at=consultation.scheduled_at,
        started_at=consultation.started_at,
        ended_at=consultation.ended_at,
        phase=consultation.phase.value,
        note=consultation.note if with_note else "",
        display_check=display_check_view(consultation),
    )


def display_check_view(consultation: Consultation) -> DisplayCheckView | None:
    """The display that it was judged on, if the specialist said."""
    check = consultation.display_check
    if check is None:
        return None
    return DisplayCheckView(check.gamut.value, check.steps_apart, check.checked_at)
