"""Puts together what staff read: worklists, referrals, consultations, timelines; access comes before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from records.interface import (
    Actor,
    CareLink,
    ChatLine,
    Consultation,
    Participant,
    Phase,
    Records,
    Referral,
    ReferralState,
    Role,
    Staff,
)
from signaling.consultation import in_waiting_room
from signaling.messages import (
    ConsultationDetail,
    ConsultationSummary,
    NoteView,
    ParticipantView,
    ReferralList,
    ReferralView,
    TimelineView,
    WorklistView,
)
from signaling.views import (
    chat_view,
    display_check_view,
    patient_view,
    referral_view,
    satisfaction_view,
    snapshot_view,
    timeline_consultation,
)

CHAT_HISTORY_LINES = 200
"""As many of the latest lines are shown to whoever comes in."""


def place_view(participant: Participant, *, present: bool = False, media: str = "none") -> ParticipantView:
    """A participant; presence and media are known to the live room only."""
    return ParticipantView(
        participant_id=participant.participant_id,
        role=participant.role.value,  # type: ignore[arg-type]
        name=participant.name,
        admission=participant.admission.value,
        waiting_since=participant.waiting_since,
        present=present,
        media=media,  # type: ignore[arg-type]
    )


class Reader:
    """Reads the record for staff, as the actor given."""

    def __init__(self, records: Records, is_present: Callable[[str, str], bool]) -> None:
        """is_present: whether (consultation_id, participant_id) is connected, as far as this node knows."""
        self._records = records
        self._is_present = is_present
        self._site_names: dict[str, str] = {}
        self._staff_names: dict[str, str] = {}

    async def site_name(self, site_id: str) -> str:
        """Name of a site."""
        if site_id not in self._site_names:
            site = await self._records.site(site_id)
            self._site_names[site_id] = site.name if site else ""
        return self._site_names[site_id]

    async def staff_name(self, staff_id: str) -> str:
        """Name of a staff member."""
        if staff_id not in self._staff_names:
            staff = await self._records.staff(staff_id)
            self._staff_names[staff_id] = staff.name if staff else ""
        return self._staff_names[staff_id]

    async def referral(
        self, actor: Actor, referral: Referral, consultation: Consultation | None, now: datetime
    ) -> ReferralView:
        """A referral that was read, with its photos."""
        photos = [await self._records.snapshot(actor, photo_id, now) for photo_id in referral.photo_ids]
        return referral_view(
            referral,
            consultation,
            photos,
            await self.site_name(referral.site_id),
            await self.staff_name(referral.referrer_id),
        )

    async def one_referral(self, actor: Actor, link: CareLink, now: datetime) -> ReferralView:
        """A referral, with its photos and, once there is one, the answer."""
        referral = await self._records.referral(actor, link.referral_id, now)
        return await self._with_consultation(actor, referral, now)

    async def worklist(self, staff: Staff, now: datetime, origin: str) -> WorklistView:
        """A specialist's consultations and every referral that nobody accepted yet."""
        actor = Actor(staff.staff_id, staff.role, "worklist", origin)
        consultations = await self._records.consultations_of(actor, staff.staff_id, now)
        open_referrals = await self._records.referrals(actor, now, states=(ReferralState.SENT,))
        return WorklistView(
            server_time=now,
            consultations=[await self._summary(actor, consultation, now) for consultation in consultations],
            referrals=[await self.referral(actor, referral, None, now) for referral in open_referrals],
        )

    async def _summary(self, actor: Actor, consultation: Consultation, now: datetime) -> ConsultationSummary:
        referral = await self._records.referral(actor, consultation.referral_id, now)
        participants = await self._records.participants(consultation.consultation_id)
        return ConsultationSummary(
            consultation_id=consultation.consultation_id,
            referral_id=consultation.referral_id,
            patient=patient_view(consultation.patient),
            question=referral.question,
            urgency=referral.urgency.value,
            scheduled_at=consultation.scheduled_at,
            phase=consultation.phase.value,
            waiting=[
                place_view(one, present=self._is_present(one.consultation_id, one.participant_id))
                for one in participants
                if in_waiting_room(one.admission) and consultation.ended_at is None
            ],
        )

    async def referral_list(self, staff: Staff, now: datetime, origin: str) -> ReferralList:
        """A site's referrals for a referrer; for a specialist those that nobody accepted yet."""
        if staff.role is Role.REFERRER:
            actor = Actor(staff.staff_id, staff.role, "referrals", origin)
            referrals = await self._records.referrals(actor, now, site_id=staff.site_id)
        else:
            actor = Actor(staff.staff_id, staff.role, "worklist", origin)
            referrals = await self._records.referrals(actor, now, states=(ReferralState.SENT,))
        return ReferralList([await self._with_consultation(actor, one, now) for one in referrals])

    async def _with_consultation(self, actor: Actor, referral: Referral, now: datetime) -> ReferralView:
        consultation = None
        if referral.consultation_id is not None:
            consultation = await self._records.consultation(actor, referral.consultation_id, now)
        return await self.referral(actor, referral, consultation, now)

    async def consultation(self, actor: Actor, consultation_id: str, now: datetime) -> ConsultationDetail:
        """Everything around a call."""
        consultation = await self._records.consultation(actor, consultation_id, now)
        referral = await self._records.referral(actor, consultation.referral_id, now)
        snapshots = await self._records.snapshots_of_consultation(actor, consultation_id, now)
        done = consultation.phase is Phase.ENDED or actor.role is not Role.REFERRER
        if done:
            lines = await self._records.chat_lines(actor, consultation_id, now)
        else:
            lines = await self._heard(actor, consultation_id, now)
        return ConsultationDetail(
            consultation_id=consultation_id,
            phase=consultation.phase.value,
            scheduled_at=consultation.scheduled_at,
            started_at=consultation.started_at,
            ended_at=consultation.ended_at,
            referral=await self.referral(actor, referral, consultation, now),
            note=NoteView(consultation.note if done else "", consultation.note_version),
            snapshots=[snapshot_view(snapshot) for snapshot in snapshots],
            chat=[chat_view(line) for line in lines],
            display_check=display_check_view(consultation),
        )

    async def _heard(self, actor: Actor, consultation_id: str, now: datetime) -> Sequence[ChatLine]:
        """The chat of a running call for staff who have a place in it, or have none."""
        for one in await self._records.participants(consultation_id):
            if one.staff_id == actor.actor_id:
                return await self._records.chat_lines_heard(
                    actor, one.participant_id, CHAT_HISTORY_LINES, now
                )
        return []

    async def timeline(self, actor: Actor, patient_id: str, now: datetime) -> TimelineView:
        """A patient's record, each list newest first."""
        timeline = await self._records.timeline(actor, patient_id, now)
        by_id = {consultation.consultation_id: consultation for consultation in timeline.consultations}
        return TimelineView(
            patient=patient_view(timeline.patient),
            referrals=[
                await self.referral(actor, referral, by_id.get(referral.consultation_id or ""), now)
                for referral in timeline.referrals
            ],
            consultations=[
                timeline_consultation(
                    one, with_note=one.phase is Phase.ENDED or actor.role is not Role.REFERRER
                )
                for one in timeline.consultations
            ],
            snapshots=[snapshot_view(snapshot) for snapshot in timeline.snapshots],
            satisfactions=[satisfaction_view(answer) for answer in timeline.satisfactions],
        )
