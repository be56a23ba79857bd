"""From where a line of the audit came, sealed under a key of its own; lines found by what they are about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, the index and the table of the record's own keys."""
    op.add_column("audit", sa.Column("origin", sa.LargeBinary(), nullable=True))
    op.create_index(op.f("ix_audit_resource"), "audit", ["resource"], unique=False)
    op.create_table(
        "record_keys",
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("master_key_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("use", name=op.f("pk_record_keys")),
    )
