"""When each participant was inside a consultation, told from the audit for those who were there before."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table, then fill it."""
    stays = op.create_table(
        "stays",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("participant_id", sa.String(length=64), nullable=False),
        sa.Column("came_at", _TIME, nullable=False),
        sa.Column("left_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["participants.participant_id"], name=op.f("fk_stays_participant_id")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_stays")),
    )
    op.create_index(op.f("ix_stays_participant_id"), "stays", ["participant_id"], unique=False)
    rows = _stays(op.get_bind())
    if rows:
        op.bulk_insert(stays, rows)


def _stays(connection: sa.Connection) -> list[dict[str, Any]]:
    participants = sa.table(
        "participants",
        sa.column("participant_id"),
        sa.column("admission"),
        sa.column("created_at", _TIME),
    )
    audit = sa.table(
        "audit", sa.column("sequence"), sa.column("at", _TIME), sa.column("action"), sa.column("resource")
    )
    found = []
    for person in connection.execute(sa.select(participants)).mappings().all():
        moves = connection.execute(
            sa.select(audit.c.at, audit.c.action)
            .where(
                audit.c.resource == f"participant/{person['participant_id']}",
                audit.c.action.like("participant.%"),
                audit.c.action != "participant.add",
            )
            .order_by(audit.c.sequence)
        ).all()
        stays: list[dict[str, Any]] = []
        inside = False
        for at, action in moves:
            if action == "participant.admitted" and not inside:
                stays.append({"participant_id": person["participant_id"], "came_at": at, "left_at": None})
            elif action != "participant.admitted" and inside:
                stays[-1]["left_at"] = at
            inside = action == "participant.admitted"
        if person["admission"] == "admitted" and not stays:  # given a place inside
            stays.append(
                {
                    "participant_id": person["participant_id"],
                    "came_at": person["created_at"],
                    "left_at": None,
                }
            )
        found += stays
    return found
