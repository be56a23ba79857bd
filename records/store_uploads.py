"""Store: uploads under way, encrypted chunk by chunk and durable at each acknowledgement."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime
from weakref import WeakValueDictionary

from sqlalchemy import RowMapping, delete, insert, select, update

from records.blobs import Blobs
from records.engine import Database
from records.ids import new_id
from records.interface import (
    NewUpload,
    RecordError,
    RecordsConfig,
    Upload,
    UploadOffsetMismatch,
    UploadPurpose,
    UploadTooLarge,
)
from records.keys import KeyRing, PatientKeys
from records.rows import seal_facts, upload_from
from records.schema import consultations, referrals, uploads
from records.transaction import StoreBase, Tx
from records.upload_files import UploadFiles

_REMEMBERED_OWNERS = 4096


class UploadStore(StoreBase):
    """Bytes on their way into the record. One writer at a time for each upload, in any process."""

    def __init__(
        self, config: RecordsConfig, database: Database, ring: KeyRing, blobs: Blobs, files: UploadFiles
    ) -> None:
        super().__init__(config, database, ring, blobs, files)
        # Gone by itself when nobody waits for it or holds it.
        self._upload_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._owners: OrderedDict[tuple[UploadPurpose, str], str] = OrderedDict()

    async def _keys_for(self, new: NewUpload) -> PatientKeys:
        """Keys of the patient whose picture it is, who never becomes another; raises NotFound."""
        owner = (new.purpose, new.owner_id)
        known = self._owners.get(owner)
        keys = None if known is None else self._ring.opened(known)
        if keys is None:
            async with self._read() as tx:
                keys = await tx.keys_of(await owning_patient(tx, new))
            self._owners[owner] = keys.patient_id
            if len(self._owners) > _REMEMBERED_OWNERS:
                self._owners.popitem(last=False)
        return keys

    def _turn(self, upload_id: str) -> asyncio.Lock:
        return self._upload_turns.setdefault(upload_id, asyncio.Lock())

    async def open_upload(self, new: NewUpload, now: datetime) -> Upload:
        """Announce an upload; raises UploadTooLarge, and NotFound for an unknown owner."""
        self._check_size(new.size_bytes)
        upload_id = new_id(now)
        async with self._write() as tx:
            keys = await tx.keys_of(await owning_patient(tx, new))
            facts = {
                "sha256": new.sha256,
                "media_type": new.media_type,
                "device": new.device,
                "settings": dict(new.settings),
            }
            await tx.change(
                insert(uploads).values(
                    upload_id=upload_id,
                    patient_id=keys.patient_id,
                    purpose=new.purpose,
                    owner_id=new.owner_id,
                    uploader_id=new.uploader_id,
                    capture_id=new.capture_id,
                    size_bytes=new.size_bytes,
                    method=new.method,
                    taken_at=new.taken_at,
                    facts=seal_facts(keys, "uploads", upload_id, facts),
                    offset_bytes=0,
                    stored_bytes=0,
                    created_at=now,
                )
            )
        return await self.upload(upload_id)

    async def upload(self, upload_id: str) -> Upload:
        """An upload and how far it came; raises NotFound."""
        async with self._read() as tx:
            row = await upload_row(tx, upload_id)
            return upload_from(row, await tx.keys_of(row["patient_id"]))

    async def append_upload(self, upload_id: str, offset_bytes: int, chunk: bytes, now: datetime) -> Upload:
        """Keep the next bytes, encrypted; durable when this returns.

        Raises NotFound, UploadOffsetMismatch, UploadTooLarge, StorageFull; what was kept before stays.
        """
        return await self._to_the_end(self._append(upload_id, offset_bytes, bytes(chunk)))

    async def _append(self, upload_id: str, offset_bytes: int, chunk: bytes) -> Upload:
        async with self._turn(upload_id):
            before = await self.upload(upload_id)
            self._check_chunk(before, offset_bytes, chunk)
            if not chunk:
                return before
            file = await asyncio.to_thread(self._upload_files.open_growing, upload_id)
            try:
                # Again, now that no other process can write the file.
                async with self._read() as tx:
                    row = await upload_row(tx, upload_id)
                    keys = await tx.keys_of(row["patient_id"])
                self._check_chunk(upload_from(row, keys), offset_bytes, chunk)
                stored = await asyncio.to_thread(
                    file.append, keys.blobs, offset_bytes, row["stored_bytes"], chunk
                )
                async with self._write() as tx:
                    changed = await tx.change(
                        update(uploads)
                        .where(uploads.c.upload_id == upload_id, uploads.c.offset_bytes == offset_bytes)
                        .values(offset_bytes=offset_bytes + len(chunk), stored_bytes=stored)
                    )
                    if changed != 1:
                        raise UploadOffsetMismatch((await upload_row(tx, upload_id))["offset_bytes"])
            finally:
                file.close()
            return await self.upload(upload_id)

    async def discard_upload(self, upload_id: str) -> None:
        """Forget an upload and its bytes; one that became a snapshot, or is gone, is left as it is."""
        await self._to_the_end(self._discard(upload_id))

    async def _discard(self, upload_id: str) -> None:
        async with self._turn(upload_id):
            await self._forget(upload_id)

    async def _forget(self, upload_id: str) -> None:
        """Within the upload's turn."""
        async with self._write() as tx:
            known = await tx.change(
                delete(uploads).where(uploads.c.upload_id == upload_id, uploads.c.snapshot_id.is_(None))
            )
        if known:
            await asyncio.to_thread(self._upload_files.remove, upload_id)

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes < 1:
            raise RecordError("an upload has at least one byte")
        if size_bytes > self._config.max_upload_bytes:
            raise UploadTooLarge(f"at most {self._config.max_upload_bytes} bytes are kept")

    @staticmethod
    def _check_chunk(upload: Upload, offset_bytes: int, chunk: bytes) -> None:
        if offset_bytes != upload.offset_bytes:
            raise UploadOffsetMismatch(upload.offset_bytes)
        if offset_bytes + len(chunk) > upload.new.size_bytes:
            raise UploadTooLarge(f"{upload.new.size_bytes} bytes were announced")


async def upload_row(tx: Tx, upload_id: str) -> RowMapping:
    """The row of an upload; raises NotFound."""
    return await tx.one(select(uploads).where(uploads.c.upload_id == upload_id), "upload")


async def owning_patient(tx: Tx, new: NewUpload) -> str:
    """Whose picture an upload is; raises NotFound."""
    if new.purpose is UploadPurpose.SNAPSHOT:
        query = select(consultations.c.patient_id).where(consultations.c.consultation_id == new.owner_id)
        return str((await tx.one(query, "consultation"))["patient_id"])
    query = select(referrals.c.patient_id).where(referrals.c.referral_id == new.owner_id)
    return str((await tx.one(query, "referral"))["patient_id"])
