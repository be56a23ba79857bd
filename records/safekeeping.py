"""Values: where the record lies, its audit and backups, and what a sweep clears away."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from records.clinical import RetentionClass
from records.people import Role


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the append-only audit; hash covers the line and the hash before it."""

    sequence: int
    at: datetime
    actor_id: str
    role: Role
    action: str
    resource: str
    reason: str
    hash: str
    sealed_origin: bytes | None = field(default=None, repr=False)
    """From where, under the audit's own key (`AuditStore.origins`); None: from the server itself."""


@dataclass(frozen=True, slots=True)
class Access:
    """One line of the audit as the patient may read it: when, who, and what they did."""

    at: datetime
    role: Role
    name: str
    """Of somebody with an account, else empty."""
    site_name: str
    action: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep cleared away."""

    sessions: int
    uploads: int
    upload_files: int
    temporary_files: int
    blobs: int


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """For how many years each class of entries is kept at least, from its last change on."""

    clinical_years: int = 15
    document_years: int = 15
    working_years: int = 3

    def years(self, retention: RetentionClass) -> int:
        """Of one class."""
        return {
            RetentionClass.CLINICAL: self.clinical_years,
            RetentionClass.DOCUMENT: self.document_years,
            RetentionClass.WORKING: self.working_years,
        }[retention]


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was written and read again."""

    backup_id: str
    rows: int
    blobs: int
    copied_blobs: int
    """Those that no earlier backup had brought to the same place."""
    missing_blobs: int
    """Named by rows, but lost in the record itself."""
    pruned: int
    """Earlier backups that were removed because of their age."""


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """A whole backup as its place lists it; only who holds its master key can tell more."""

    backup_id: str
    created_at: datetime
    master_key_id: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What a backup held, checked by hash."""

    backup_id: str
    created_at: datetime
    rows: int
    blobs: int
    uploads: int
    missing_blobs: int
    """Pictures that the record had lost already when it was backed up."""


@dataclass(frozen=True, slots=True)
class RecordsConfig:
    """Where the record lies. database_url: "sqlite+aiosqlite:///..." or "postgresql+asyncpg://..."."""

    database_url: str
    blob_dir: str
    """Folder of blobs and of uploads under way."""
    master_key: bytes = field(repr=False)
    """32 bytes, kept outside the database."""
    max_upload_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 120_000_000
    orphan_grace_s: float = 3600.0
    """How old a blob without a row must be before a start clears it: another process may be adding it."""
    old_master_keys: tuple[bytes, ...] = field(default=(), repr=False)
    """Master keys of before a rotation that may not have ended; nothing new is sealed under them."""
    blobs_url: str = field(default="", repr=False)
    """Where blobs lie instead of blob_dir: `s3://...`, see `records.s3_objects.parse_place`."""
    retention: RetentionPolicy = RetentionPolicy()
