"""The tables of the record. Whatever tells who a patient is lies in Sealed columns."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from records.clinical import EntryKind, RetentionClass
from records.columns import Sealed, UtcDateTime, Word
from records.history import SubjectKind
from records.interface import (
    Admission,
    CaptureMethod,
    Gamut,
    Phase,
    ReferralState,
    Role,
    UploadPurpose,
    Urgency,
    Variant,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = String(64)
Sha256Hex = String(64)
# A plain INTEGER is SQLite's row number; PostgreSQL counts in 64 bits.
Counter = BigInteger().with_variant(Integer(), "sqlite")

sites = Table(
    "sites",
    metadata,
    Column("site_id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
)

staff = Table(
    "staff",
    metadata,
    Column("staff_id", Id, primary_key=True),
    Column("site_id", Id, ForeignKey("sites.site_id"), nullable=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("role", Word(Role), nullable=False, index=True),
    Column("language", String(16), nullable=False),
    Column("password_hash", String(255), nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", Sha256Hex, primary_key=True),
    Column("staff_id", Id, ForeignKey("staff.staff_id"), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

patients = Table(
    "patients",
    metadata,
    Column("patient_id", Id, primary_key=True),
    Column("name", Sealed, nullable=False),
    Column("birth_date", Sealed),
    Column("sex", String(16), nullable=False),
    Column("language", String(16), nullable=False),
    Column("email", Sealed),
    Column("created_at", UtcDateTime, nullable=False),
)

patient_keys = Table(
    "patient_keys",
    metadata,
    Column("patient_id", Id, ForeignKey("patients.patient_id"), primary_key=True),
    Column("key_id", Id, nullable=False, unique=True),
    Column("master_key_id", String(16), nullable=False, index=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

referrals = Table(
    "referrals",
    metadata,
    Column("referral_id", Id, primary_key=True),
    Column("patient_id", Id, ForeignKey("patients.patient_id"), nullable=False, index=True),
    Column("referrer_id", Id, nullable=False),
    Column("site_id", Id, ForeignKey("sites.site_id"), nullable=False),
    Column("question", Sealed, nullable=False),
    Column("urgency", Word(Urgency), nullable=False),
    Column("state", Word(ReferralState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("decline_reason", Sealed),
    Index(None, "site_id", "created_at"),
    Index(None, "state", "created_at"),
)

consultations = Table(
    "consultations",
    metadata,
    Column("consultation_id", Id, primary_key=True),
    Column("referral_id", Id, ForeignKey("referrals.referral_id"), nullable=False, unique=True),
    Column("patient_id", Id, ForeignKey("patients.patient_id"), nullable=False, index=True),
    Column("specialist_id", Id, ForeignKey("staff.staff_id"), nullable=False),
    Column("scheduled_at", UtcDateTime, nullable=False),
    Column("phase", Word(Phase), nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("note", Sealed, nullable=False),
    Column("note_version", Integer, nullable=False),
    Index(None, "specialist_id", "phase", "ended_at"),
)

display_checks = Table(
    "display_checks",
    metadata,
    Column("sequence", Counter, primary_key=True, autoincrement=True),
    Column("consultation_id", Id, ForeignKey("consultations.consultation_id"), nullable=False, index=True),
    Column("staff_id", Id, ForeignKey("staff.staff_id"), nullable=False),
    Column("gamut", Word(Gamut), nullable=False),
    Column("steps_apart", Boolean, nullable=False),
    Column("checked_at", UtcDateTime, nullable=False),
)

participants = Table(
    "participants",
    metadata,
    Column("participant_id", Id, primary_key=True),
    Column("consultation_id", Id, ForeignKey("consultations.consultation_id"), nullable=False, index=True),
    Column("role", Word(Role), nullable=False),
    Column("name", Sealed, nullable=False),
    Column("staff_id", Id, ForeignKey("staff.staff_id")),
    Column("admission", Word(Admission), nullable=False),
    Column("waiting_since", UtcDateTime),
    Column("words", Sealed),
    Column("created_at", UtcDateTime, nullable=False),
    Column("link_sha256", Sha256Hex, unique=True),
    Column("link_expires_at", UtcDateTime),
    UniqueConstraint("consultation_id", "staff_id"),
    # One patient a consultation, whatever two requests at the same time may think.
    Index(
        "uq_participants_patient",
        "consultation_id",
        unique=True,
        sqlite_where=text("role = 'patient'"),
        postgresql_where=text("role = 'patient'"),
    ),
)

stays = Table(
    "stays",
    metadata,
    Column("sequence", Counter, primary_key=True, autoincrement=True),
    Column("participant_id", Id, ForeignKey("participants.participant_id"), nullable=False, index=True),
    Column("came_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime),
)

consents = Table(
    "consents",
    metadata,
    Column("sequence", Counter, primary_key=True, autoincrement=True),
    Column("participant_id", Id, ForeignKey("participants.participant_id"), nullable=False, index=True),
    Column("version", String(32), nullable=False),
    Column("language", String(16), nullable=False),
    Column("text_sha256", Sha256Hex, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
)

satisfactions = Table(
    "satisfactions",
    metadata,
    Column("participant_id", Id, ForeignKey("participants.participant_id"), primary_key=True),
    Column("consultation_id", Id, ForeignKey("consultations.consultation_id"), nullable=False, index=True),
    Column("score", Integer, nullable=False),
    Column("words", Sealed, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    CheckConstraint("score BETWEEN 1 AND 5", name="score"),
)

chat_lines = Table(
    "chat_lines",
    metadata,
    Column("sequence", Counter, primary_key=True, autoincrement=True),
    Column("line_id", Id, nullable=False, unique=True),
    Column("consultation_id", Id, ForeignKey("consultations.consultation_id"), nullable=False, index=True),
    Column("participant_id", Id, ForeignKey("participants.participant_id"), nullable=False),
    Column("text", Sealed, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", Id, primary_key=True),
    Column("patient_id", Id, ForeignKey("patients.patient_id"), nullable=False),
    Column("purpose", Word(UploadPurpose), nullable=False),
    Column("owner_id", Id, nullable=False),
    Column("uploader_id", Id, nullable=False),
    Column("capture_id", Id),
    Column("size_bytes", BigInteger, nullable=False),
    Column("method", Word(CaptureMethod), nullable=False),
    Column("taken_at", UtcDateTime),
    Column("facts", Sealed, nullable=False),
    Column("offset_bytes", BigInteger, nullable=False),
    Column("stored_bytes", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("snapshot_id", Id, ForeignKey("snapshots.snapshot_id")),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_id", Id, primary_key=True),
    Column("patient_id", Id, ForeignKey("patients.patient_id"), nullable=False),
    Column("consultation_id", Id, ForeignKey("consultations.consultation_id"), index=True),
    Column("referral_id", Id, ForeignKey("referrals.referral_id"), index=True),
    Column("uploader_id", Id, nullable=False),
    Column("capture_id", Id),
    Column("method", Word(CaptureMethod), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("stored_at", UtcDateTime, nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("has_location", Boolean, nullable=False),
    Column("facts", Sealed, nullable=False),
    Column("blob_name", String(64), nullable=False, index=True),
    Index(None, "patient_id", "taken_at"),
)

derived_images = Table(
    "derived_images",
    metadata,
    Column("derived_id", Id, primary_key=True),
    Column("snapshot_id", Id, ForeignKey("snapshots.snapshot_id"), nullable=False),
    Column("variant", Word(Variant), nullable=False),
    Column("version", Integer, nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("width_px", Integer, nullable=False),
    Column("height_px", Integer, nullable=False),
    Column("facts", Sealed, nullable=False),
    Column("report", JSON(none_as_null=True)),
    Column("software", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("blob_name", String(64), nullable=False, index=True),
    UniqueConstraint("snapshot_id", "variant", "version"),
)

# What clinicians write. Everything that tells what a patient has lies in the sealed content of a version.
entries = Table(
    "entries",
    metadata,
    Column("entry_id", Id, primary_key=True),
    Column("kind", Word(EntryKind), nullable=False),
    Column("patient_id", Id, ForeignKey("patients.patient_id"), nullable=False),
    Column("lesion_id", Id, ForeignKey("entries.entry_id"), index=True),
    Column("snapshot_id", Id, ForeignKey("snapshots.snapshot_id"), index=True),
    Column("consultation_id", Id, ForeignKey("consultations.consultation_id")),
    Column("annotation_id", Id, ForeignKey("entries.entry_id"), index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("retention", Word(RetentionClass), nullable=False),
    Column("deleted_at", UtcDateTime, index=True),
    Column("blob_name", String(64), index=True),
    Index(None, "patient_id", "at"),
)

entry_versions = Table(
    "entry_versions",
    metadata,
    Column("entry_id", Id, ForeignKey("entries.entry_id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("content", Sealed, nullable=False),
    Column("author_id", Id, nullable=False),
    Column("written_at", UtcDateTime, nullable=False),
)

lesion_snapshots = Table(
    "lesion_snapshots",
    metadata,
    Column("lesion_id", Id, ForeignKey("entries.entry_id"), primary_key=True),
    Column("snapshot_id", Id, ForeignKey("snapshots.snapshot_id"), primary_key=True, index=True),
    Column("linked_by", Id, nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
)

# The blind index: what is searched for, as keyed hashes (records/search_index.py).
search_tokens = Table(
    "search_tokens",
    metadata,
    Column("token", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, primary_key=True),
    Column("subject_id", Id, primary_key=True),
    Column("subject_kind", Word(SubjectKind), nullable=False),
    Column("patient_id", Id, ForeignKey("patients.patient_id"), nullable=False),
    Index(None, "patient_id", "token"),
    sqlite_with_rowid=False,
)

search_index = Table(
    "search_index",
    metadata,
    Column("index_id", Integer, primary_key=True, autoincrement=False),
    Column("key_id", String(16), nullable=False),
    CheckConstraint("index_id = 1", name="one_row"),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("role", Word(Role), nullable=False),
    Column("action", String(64), nullable=False),
    Column("resource", String(160), nullable=False, index=True),
    Column("reason", String(160), nullable=False),
    Column("hash", Sha256Hex, nullable=False),
    Column("origin", Sealed),
)

record_keys = Table(
    "record_keys",
    metadata,
    Column("use", String(16), primary_key=True),
    Column("master_key_id", String(16), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("head_id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", Sha256Hex, nullable=False),
    Column("mac", Sha256Hex, nullable=False),
    CheckConstraint("head_id = 1", name="one_row"),
)


def blob_columns() -> list[Column[str]]:
    """Every column that names a blob."""
    return [table.c.blob_name for table in metadata.sorted_tables if "blob_name" in table.c]
