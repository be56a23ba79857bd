"""What the specialist's display could show, kept with the consultation that was judged on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "display_checks",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("consultation_id", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("gamut", sa.String(length=16), nullable=False),
        sa.Column("steps_apart", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultations.consultation_id"],
            name=op.f("fk_display_checks_consultation_id"),
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.staff_id"], name=op.f("fk_display_checks_staff_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_display_checks")),
    )
    op.create_index(
        op.f("ix_display_checks_consultation_id"), "display_checks", ["consultation_id"], unique=False
    )
