"""How long looks take, and the words of those in which something changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add both; of looks before this nothing is known."""
    op.add_column("subject", sa.Column("last_ms", sa.Integer))
    op.add_column("subject", sa.Column("samples", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "transcript",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("subject_id", _ID, sa.ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("prober", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("transcript_of_subject", "transcript", ["subject_id", "at"])
    op.create_table(
        "latency",
        sa.Column("subject_id", _ID, sa.ForeignKey("subject.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("looks", sa.Integer, nullable=False),
        sa.Column("minimum", sa.Integer, nullable=False),
        sa.Column("median", sa.Integer, nullable=False),
        sa.Column("maximum", sa.Integer, nullable=False),
        sa.Column("hours", sa.Text),
        sa.Column("samples", sa.Text),
        sqlite_with_rowid=False,
    )
