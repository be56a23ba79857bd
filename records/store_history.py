"""Store: a patient's history over everything, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, literal, or_, select, union_all

from records.entry_rows import load_latest
from records.errors import InvalidEntry
from records.history import Cursor, HistoryItem, HistoryKind, HistoryPage, HistoryValue
from records.people import Actor
from records.rows import load_consultations, load_referrals, load_snapshots
from records.schema import consultations, entries, patients, referrals, satisfactions, snapshots
from records.store_words import satisfaction_from
from records.transaction import StoreBase, Tx

LONGEST_PAGE = 200
_NO_CONDITIONS: tuple[ColumnElement[bool], ...] = ()


class HistoryStore(StoreBase):
    """Referrals, consultations, snapshots, entries and answers in one order of time."""

    async def history(
        self,
        actor: Actor,
        patient_id: str,
        now: datetime,
        *,
        most: int = 50,
        before: Cursor | None = None,
        kinds: Sequence[HistoryKind] = (),
    ) -> HistoryPage:
        """A page of a patient's history of some kinds or any, newest first; NotFound, InvalidEntry."""
        if not 1 <= most <= LONGEST_PAGE:
            raise InvalidEntry(f"a page has 1 to {LONGEST_PAGE} lines")
        async with self._write() as tx:
            await tx.one(select(patients.c.patient_id).where(patients.c.patient_id == patient_id), "patient")
            lines = await tx.all(_lines(patient_id, most + 1, before, kinds or tuple(HistoryKind)))
            page = [(HistoryKind(row["kind"]), str(row["item_id"]), row["moment"]) for row in lines[:most]]
            values = await _values(tx, [(kind, item_id) for kind, item_id, _ in page])
            await tx.audit(actor, "history.read", f"patient/{patient_id}", now)
        items = tuple(HistoryItem(kind, item_id, at, values[kind, item_id]) for kind, item_id, at in page)
        more = len(lines) > most
        return HistoryPage(items, Cursor(items[-1].at, items[-1].item_id) if more else None)


def older(at: Column[Any], item_id: Column[Any], before: Cursor | None) -> tuple[ColumnElement[bool], ...]:
    """The condition that a row comes after a cursor, newest first."""
    if before is None:
        return _NO_CONDITIONS
    return (or_(at < before.at, and_(at == before.at, item_id < before.item_id)), at <= before.at)


def _lines(patient_id: str, most: int, before: Cursor | None, kinds: Sequence[HistoryKind]) -> Select[Any]:
    """Kind, id and moment of the newest lines: each source gives as many, the newest of all are kept."""
    of_answers = (satisfactions.c.consultation_id == consultations.c.consultation_id,)
    standing = (entries.c.deleted_at.is_(None),)
    c, s = consultations.c, satisfactions.c
    sources: dict[HistoryKind, tuple[Column[Any], Column[Any], Column[Any], tuple[Any, ...]]] = {
        HistoryKind.REFERRAL: (
            referrals.c.referral_id,
            referrals.c.created_at,
            referrals.c.patient_id,
            (),
        ),
        HistoryKind.CONSULTATION: (c.consultation_id, c.scheduled_at, c.patient_id, ()),
        HistoryKind.SNAPSHOT: (
            snapshots.c.snapshot_id,
            snapshots.c.taken_at,
            snapshots.c.patient_id,
            (),
        ),
        HistoryKind.ENTRY: (entries.c.entry_id, entries.c.at, entries.c.patient_id, standing),
        HistoryKind.SATISFACTION: (s.participant_id, s.given_at, c.patient_id, of_answers),
    }
    parts = []
    for kind in kinds:
        item_id, at, owner, where = sources[kind]
        part = (
            select(literal(kind.value).label("kind"), item_id.label("item_id"), at.label("moment"))
            .where(owner == patient_id, *where, *older(at, item_id, before))
            .order_by(at.desc(), item_id.desc())
            .limit(most)
        )
        parts.append(select(part.subquery()))
    whole = union_all(*parts).subquery()
    return select(whole).order_by(whole.c.moment.desc(), whole.c.item_id.desc()).limit(most)


Loader = Callable[[Tx, list[str]], Coroutine[Any, Any, dict[str, Any]]]


async def _referrals(tx: Tx, ids: list[str]) -> dict[str, Any]:
    return {one.referral_id: one for one in await load_referrals(tx, referrals.c.referral_id.in_(ids))}


async def _consultations(tx: Tx, ids: list[str]) -> dict[str, Any]:
    found = await load_consultations(tx, consultations.c.consultation_id.in_(ids))
    return {one.consultation_id: one for one in found}


async def _snapshots(tx: Tx, ids: list[str]) -> dict[str, Any]:
    return {one.snapshot_id: one for one in await load_snapshots(tx, snapshots.c.snapshot_id.in_(ids))}


async def _satisfactions(tx: Tx, ids: list[str]) -> dict[str, Any]:
    rows = await tx.all(
        select(satisfactions, consultations.c.patient_id)
        .join(consultations, consultations.c.consultation_id == satisfactions.c.consultation_id)
        .where(satisfactions.c.participant_id.in_(ids))
    )
    keys = await tx.keys_of_all(row["patient_id"] for row in rows)
    return {row["participant_id"]: satisfaction_from(row, keys[row["patient_id"]]) for row in rows}


_LOADERS: dict[HistoryKind, Loader] = {
    HistoryKind.REFERRAL: _referrals,
    HistoryKind.CONSULTATION: _consultations,
    HistoryKind.SNAPSHOT: _snapshots,
    HistoryKind.ENTRY: load_latest,
    HistoryKind.SATISFACTION: _satisfactions,
}


async def _values(
    tx: Tx, wanted: Sequence[tuple[HistoryKind, str]]
) -> dict[tuple[HistoryKind, str], HistoryValue]:
    values: dict[tuple[HistoryKind, str], HistoryValue] = {}
    for kind, load in _LOADERS.items():
        ids = [item_id for one, item_id in wanted if one is kind]
        if ids:
            values |= {(kind, item_id): value for item_id, value in (await load(tx, ids)).items()}
    return values
