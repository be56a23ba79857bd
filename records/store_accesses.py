"""Store: who saw or changed a patient's record, for that patient."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, Select, select

from records.interface import Access, Actor, NotFound, Role
from records.schema import (
    audit,
    consultations,
    entries,
    lesion_snapshots,
    participants,
    patients,
    referrals,
    sites,
    snapshots,
    staff,
)
from records.transaction import StoreBase, Tx

_AT_ONCE = 500
_OTHERS = (Role.SPECIALIST, Role.REFERRER, Role.INTERPRETER)


class AccessStore(StoreBase):
    """The audit as the person it is about may read it."""

    async def accesses(self, actor: Actor, patient_id: str, most: int, now: datetime) -> Sequence[Access]:
        """The latest lines about one patient by anybody but them and this server, newest first.

        Lists that several patients stand on are not about one of them. Raises NotFound.
        """
        async with self._write() as tx:
            if (
                await tx.first(select(patients.c.patient_id).where(patients.c.patient_id == patient_id))
                is None
            ):
                raise NotFound("no such patient")
            rows = await _lines(tx, await _resources(tx, patient_id), most)
            names = await _names(tx, {row["actor_id"] for row in rows})
            await tx.audit(actor, "access.read", f"patient/{patient_id}", now)
        return [
            Access(row["at"], row["role"], *names.get(row["actor_id"], ("", "")), row["action"])
            for row in rows
        ]


async def _resources(tx: Tx, patient_id: str) -> list[str]:
    """What lines about a patient name."""
    met = consultations.c.patient_id == patient_id
    ids: dict[str, Select[tuple[str]]] = {
        "referral": select(referrals.c.referral_id).where(referrals.c.patient_id == patient_id),
        "consultation": select(consultations.c.consultation_id).where(met),
        "snapshot": select(snapshots.c.snapshot_id).where(snapshots.c.patient_id == patient_id),
        "participant": select(participants.c.participant_id).join(consultations).where(met),
    }
    found = [f"patient/{patient_id}", f"patient/{patient_id}/entries"]
    for kind, query in ids.items():
        found += [f"{kind}/{one}" for one in (await tx.conn.execute(query)).scalars()]
    kept = select(entries.c.kind, entries.c.entry_id).where(entries.c.patient_id == patient_id)
    found += [f"{row.kind.value}/{row.entry_id}" for row in await tx.conn.execute(kept)]
    shown = select(lesion_snapshots.c.lesion_id, lesion_snapshots.c.snapshot_id).join(
        snapshots, snapshots.c.snapshot_id == lesion_snapshots.c.snapshot_id
    )
    linked = await tx.conn.execute(shown.where(snapshots.c.patient_id == patient_id))
    found += [f"lesion/{row.lesion_id}/snapshot/{row.snapshot_id}" for row in linked]
    return found


async def _lines(tx: Tx, resources: Sequence[str], most: int) -> list[RowMapping]:
    """The latest of the lines that name any of these, newest first."""
    found: list[RowMapping] = []
    for start in range(0, len(resources), _AT_ONCE):
        about = audit.c.resource.in_(resources[start : start + _AT_ONCE])
        query = select(audit).where(about, audit.c.role.in_(_OTHERS))
        found += await tx.all(query.order_by(audit.c.sequence.desc()).limit(most))
    return sorted(found, key=lambda row: -int(row["sequence"]))[:most]


async def _names(tx: Tx, actor_ids: set[str]) -> dict[str, tuple[str, str]]:
    """Name and site of each that has an account."""
    query = select(staff.c.staff_id, staff.c.name, sites.c.name.label("site_name")).join(sites)
    rows = await tx.all(query.where(staff.c.staff_id.in_(sorted(actor_ids))))
    return {row["staff_id"]: (row["name"], row["site_name"]) for row in rows}
