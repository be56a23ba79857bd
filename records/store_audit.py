"""Store: the audit as it is read back and verified."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import RowMapping, func, insert, select

from records.audit import GENESIS, seal_head, verify_head, verify_lines
from records.interface import AuditEvent, Conflict, SealBroken
from records.keys import decrypt
from records.schema import audit, audit_head, patients, record_keys
from records.transaction import StoreBase, origin_place

_PAGE_LINES = 2000
_ORIGINS = "audit origins"


class AuditStore(StoreBase):
    """Who saw and changed what."""

    async def audit_events(self, limit: int = 1000) -> Sequence[AuditEvent]:
        """The latest lines, oldest of them first."""
        async with self._read() as tx:
            rows = await tx.all(select(audit).order_by(audit.c.sequence.desc()).limit(limit))
        return [_event_from(row) for row in reversed(rows)]

    async def verify_audit(self) -> int:
        """Walk the hash chain to its sealed end; returns the number of lines, raises Conflict."""
        previous, sequence = GENESIS, 1
        async with self._read() as tx:
            head = await tx.head()
            while True:
                page = select(audit).where(audit.c.sequence >= sequence).order_by(audit.c.sequence)
                try:
                    events = [_event_from(row) for row in await tx.all(page.limit(_PAGE_LINES))]
                except ValueError:  # no time, or no role, any more
                    raise Conflict(f"the audit breaks in the lines after {sequence - 1}") from None
                if not events:
                    break
                previous, sequence = verify_lines(previous, sequence, events)
            below = await tx.first(select(func.count().label("n")).where(audit.c.sequence < 1))
        if below is not None and below["n"]:
            raise Conflict("the audit has lines before its first")
        verify_head(self._ring.audit_keys, head, previous, sequence - 1)
        return sequence - 1

    async def origins(self, events: Sequence[AuditEvent]) -> Sequence[str]:
        """From where lines came, for who inspects them; raises SealBroken."""
        cipher = self._ring.origins
        assert cipher is not None  # since the store was opened
        return [
            ""
            if event.sealed_origin is None
            else decrypt(cipher, event.sealed_origin, origin_place(event.sequence)).decode()
            for event in events
        ]

    async def _open_origins(self) -> None:
        """Open the key that seals origins, or make it; raises WrongMasterKey, SealBroken."""
        async with self._write() as tx:
            await tx.serialize()
            row = await tx.first(select(record_keys).where(record_keys.c.use == _ORIGINS))
            if row is None:
                key, wrapped = self._ring.create_record_key(_ORIGINS)
                await tx.change(
                    insert(record_keys).values(
                        use=_ORIGINS, master_key_id=self._ring.master_key_id, wrapped_key=wrapped
                    )
                )
            else:
                key = self._ring.open_record_key(_ORIGINS, row["master_key_id"], row["wrapped_key"])
        self._ring.origins = AESGCM(key)

    async def _begin_audit(self) -> None:
        """Seal the empty chain of a new record; raises SealBroken where an old one lost its end."""
        async with self._write() as tx:
            await tx.serialize()
            if await tx.first(select(audit_head)) is not None:
                return
            for table in (audit, patients):
                if await tx.first(select(table).limit(1)) is not None:
                    raise SealBroken("the audit has lost its end")
            head = seal_head(self._ring.audit_key, 0, GENESIS)
            await tx.change(insert(audit_head).values(head_id=1, sequence=0, hash=head.hash, mac=head.mac))


def _event_from(row: RowMapping) -> AuditEvent:
    return AuditEvent(
        sequence=row["sequence"],
        at=row["at"],
        actor_id=row["actor_id"],
        role=row["role"],
        action=row["action"],
        resource=row["resource"],
        reason=row["reason"],
        hash=row["hash"],
        sealed_origin=row["origin"],
    )
