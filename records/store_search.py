"""Store: search over the patients that somebody cares for, by the blind index; and its building anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    delete,
    exists,
    func,
    literal,
    select,
    union_all,
    update,
)

from records.care import Consultation, Phase, Referral
from records.clinical import Entry
from records.entry_rows import load_latest
from records.errors import InvalidEntry
from records.history import CareScope, Cursor, SearchHit, SearchPage, SearchQuery, SubjectKind
from records.indexing import findable_of, index_everything
from records.people import Actor, Patient
from records.rows import load_consultations, load_patients, load_referrals
from records.schema import (
    consultations,
    referrals,
    search_index,
    search_tokens,
)
from records.search_terms import fits, terms_wanted
from records.store_history import LONGEST_PAGE, older
from records.transaction import StoreBase, Tx

_COUNTED = 2000
"""From so many rows on, a term counts as frequent, and it does not matter how frequent."""


class SearchStore(StoreBase):
    """Nothing is read but what the index points at; what it points at is opened and looked at again."""

    async def search(
        self,
        actor: Actor,
        scope: CareScope,
        query: SearchQuery,
        now: datetime,
        *,
        most: int = 50,
        before: Cursor | None = None,
    ) -> SearchPage:
        """What fits a query among the patients of a scope, newest first; raises InvalidEntry."""
        if not 1 <= most <= LONGEST_PAGE:
            raise InvalidEntry(f"a page has 1 to {LONGEST_PAGE} lines")
        wanted = terms_wanted(query)
        hits: list[SearchHit] = []
        async with self._write() as tx:
            tokens = await _rarest_first(tx, tx.tokens(wanted))
            while tokens and len(hits) <= most:
                rows = await tx.all(_candidates(tokens, scope, query, before, most + 1))
                hits += await _look_at(tx, rows, query, scope)
                if len(rows) <= most:
                    break
                before = Cursor(rows[-1]["at"], rows[-1]["subject_id"])
            await tx.audit(actor, "search", "patients" if query.patient_id is None else _about(query), now)
        page = tuple(hits[:most])
        return SearchPage(page, Cursor(page[-1].at, page[-1].subject_id) if len(hits) > most else None)

    async def _check_search_index(self) -> None:
        """Build the index where it is missing, or was made under another key; one process does it."""
        theirs = select(search_index.c.key_id)
        async with self._read() as tx:
            if (await tx.one(theirs, "search index"))["key_id"] == self._search_key.key_id:
                return
        async with self._write() as tx:
            row = await tx.one(theirs.with_for_update(), "search index")
            if row["key_id"] != self._search_key.key_id:
                await tx.change(delete(search_tokens))
                await index_everything(tx)
                await tx.change(update(search_index).values(key_id=self._search_key.key_id))


def _about(query: SearchQuery) -> str:
    return f"patient/{query.patient_id}"


async def _rarest_first(tx: Tx, tokens: Sequence[int]) -> list[int]:
    """The tokens, rarest first; none where one of them is nowhere."""
    if len(tokens) == 1:
        return list(tokens)
    counts = [
        select(
            literal(number).label("number"),
            func.count().label("rows"),
        ).select_from(
            select(search_tokens.c.subject_id)
            .where(search_tokens.c.token == token)
            .limit(_COUNTED)
            .subquery()
        )
        for number, token in enumerate(tokens)
    ]
    found = sorted((row["rows"], row["number"]) for row in await tx.all(union_all(*counts)))
    return [tokens[number] for _, number in found] if found[0][0] else []


def _candidates(
    tokens: Sequence[int], scope: CareScope, query: SearchQuery, before: Cursor | None, most: int
) -> Select[Any]:
    row = search_tokens.c
    where = [row.token == tokens[0], *older(row.at, row.subject_id, before), _cared_for(scope)]
    for token in tokens[1:]:
        other = search_tokens.alias().c
        same = (other.token == token, other.at == row.at, other.subject_id == row.subject_id)
        where.append(exists().where(*same))
    if query.patient_id is not None:
        where.append(row.patient_id == query.patient_id)
    if query.since is not None:
        where.append(row.at >= query.since)
    if query.until is not None:
        where.append(row.at < query.until)
    columns = (row.subject_kind, row.subject_id, row.patient_id, row.at)
    return select(*columns).where(*where).order_by(row.at.desc(), row.subject_id.desc()).limit(most)


def _cared_for(scope: CareScope) -> ColumnElement[bool]:
    patient_id = search_tokens.c.patient_id
    if scope.specialist_id is not None:
        return exists().where(
            consultations.c.patient_id == patient_id,
            consultations.c.specialist_id == scope.specialist_id,
        )
    if scope.site_id is not None:
        return exists().where(referrals.c.patient_id == patient_id, referrals.c.site_id == scope.site_id)
    raise InvalidEntry("a search needs somebody's patients")


async def _look_at(
    tx: Tx, rows: Sequence[RowMapping], query: SearchQuery, scope: CareScope
) -> list[SearchHit]:
    """Open what the index points at, and keep what really fits."""
    people = await load_patients(tx, [row["patient_id"] for row in rows])
    ids: dict[SubjectKind, list[str]] = {kind: [] for kind in SubjectKind}
    for row in rows:
        ids[row["subject_kind"]].append(row["subject_id"])
    of_referrals = referrals.c.referral_id.in_(ids[SubjectKind.REFERRAL])
    of_consultations = consultations.c.consultation_id.in_(ids[SubjectKind.CONSULTATION])
    values: dict[str, Patient | Referral | Consultation | Entry] = dict(people)
    if ids[SubjectKind.REFERRAL]:
        values |= {one.referral_id: one for one in await load_referrals(tx, of_referrals)}
    if ids[SubjectKind.CONSULTATION]:
        values |= {one.consultation_id: one for one in await load_consultations(tx, of_consultations)}
    if ids[SubjectKind.ENTRY]:
        values |= await load_latest(tx, ids[SubjectKind.ENTRY])
    drafts = await _drafts(tx, values) if scope.specialist_id is None else frozenset()
    hits = []
    for row in rows:
        value = values.get(row["subject_id"])
        what = None if value is None else findable_of(value)
        if value is None or what is None or row["subject_id"] in drafts or not fits(query, what):
            continue
        person = people[row["patient_id"]]
        hits.append(SearchHit(row["subject_kind"], row["subject_id"], row["at"], person, value))
    return hits


async def _drafts(tx: Tx, values: dict[str, Patient | Referral | Consultation | Entry]) -> frozenset[str]:
    """What belongs to a consultation that has not ended."""
    of_consultation = {
        subject_id: value.consultation_id if isinstance(value, Consultation) else value.tied.consultation_id
        for subject_id, value in values.items()
        if isinstance(value, Consultation | Entry)
    }
    chosen = {one for one in of_consultation.values() if one is not None}
    if not chosen:
        return frozenset()
    running = select(consultations.c.consultation_id).where(
        consultations.c.consultation_id.in_(chosen), consultations.c.phase != Phase.ENDED
    )
    open_ones = {row["consultation_id"] for row in await tx.all(running)}
    return frozenset(subject for subject, one in of_consultation.items() if one in open_ones)
