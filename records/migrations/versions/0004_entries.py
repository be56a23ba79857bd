"""What clinicians write, in versions, and the blind index that finds it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.String(length=64)
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables. The index is built by the first start that finds it without a key."""
    op.create_table(
        "entries",
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("patient_id", _ID, nullable=False),
        sa.Column("lesion_id", _ID, nullable=True),
        sa.Column("snapshot_id", _ID, nullable=True),
        sa.Column("consultation_id", _ID, nullable=True),
        sa.Column("annotation_id", _ID, nullable=True),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("retention", sa.String(length=16), nullable=False),
        sa.Column("deleted_at", _TIME, nullable=True),
        sa.Column("blob_name", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.patient_id"], name=op.f("fk_entries_patient_id")),
        sa.ForeignKeyConstraint(["lesion_id"], ["entries.entry_id"], name=op.f("fk_entries_lesion_id")),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.snapshot_id"], name=op.f("fk_entries_snapshot_id")
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultations.consultation_id"], name=op.f("fk_entries_consultation_id")
        ),
        sa.ForeignKeyConstraint(
            ["annotation_id"], ["entries.entry_id"], name=op.f("fk_entries_annotation_id")
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entries")),
    )
    for column in ("lesion_id", "snapshot_id", "annotation_id", "deleted_at", "blob_name"):
        op.create_index(f"ix_entries_{column}", "entries", [column], unique=False)
    op.create_index("ix_entries_patient_id_at", "entries", ["patient_id", "at"], unique=False)
    op.create_table(
        "entry_versions",
        sa.Column("entry_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("written_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.entry_id"], name=op.f("fk_entry_versions_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "version", name=op.f("pk_entry_versions")),
    )
    op.create_table(
        "lesion_snapshots",
        sa.Column("lesion_id", _ID, nullable=False),
        sa.Column("snapshot_id", _ID, nullable=False),
        sa.Column("linked_by", _ID, nullable=False),
        sa.Column("linked_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["lesion_id"], ["entries.entry_id"], name=op.f("fk_lesion_snapshots_lesion_id")
        ),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshots.snapshot_id"], name=op.f("fk_lesion_snapshots_snapshot_id")
        ),
        sa.PrimaryKeyConstraint("lesion_id", "snapshot_id", name=op.f("pk_lesion_snapshots")),
    )
    op.create_index("ix_lesion_snapshots_snapshot_id", "lesion_snapshots", ["snapshot_id"], unique=False)
    op.create_table(
        "search_tokens",
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("subject_id", _ID, nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("patient_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.patient_id"], name=op.f("fk_search_tokens_patient_id")
        ),
        sa.PrimaryKeyConstraint("token", "at", "subject_id", name=op.f("pk_search_tokens")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_search_tokens_patient_id_token", "search_tokens", ["patient_id", "token"], unique=False
    )
    index = op.create_table(
        "search_index",
        sa.Column("index_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.CheckConstraint("index_id = 1", name=op.f("ck_search_index_one_row")),
        sa.PrimaryKeyConstraint("index_id", name=op.f("pk_search_index")),
    )
    op.bulk_insert(index, [{"index_id": 1, "key_id": ""}])
    _guard_versions()


def _guard_versions() -> None:
    """A version is removed with its entry, past its retention; it is never changed."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER entry_versions_no_update BEFORE UPDATE ON entry_versions "
            "BEGIN SELECT RAISE(ABORT, 'entry_versions is append-only'); END"
        )
        return
    op.execute(
        "CREATE TRIGGER entry_versions_no_update BEFORE UPDATE ON entry_versions "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
