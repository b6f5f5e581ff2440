"""The first tables: what was found, as intervals, and whole runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make them."""
    op.create_table("deployment", sa.Column("id", _ID, primary_key=True), sa.Column("name", sa.Text, nullable=False, unique=True))
    op.create_table(
        "subject",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("deployment_id", _ID, sa.ForeignKey("deployment.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("mailbox", sa.Text, nullable=False),
        sa.Column("topic", sa.String(8), nullable=False),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("deployment_id", "subject", "mailbox", "topic"),
    )
    op.create_table(
        "form",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("digest", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "span",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("subject_id", _ID, sa.ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
        sa.Column("form_id", sa.BigInteger, nullable=False),
        sa.Column("previous_id", sa.BigInteger),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("last_seen", sa.BigInteger),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("is_drift", sa.Boolean, nullable=False),
    )
    op.create_index("span_of_subject", "span", ["subject_id", "is_open", "first_seen"])
    for name, column, where in (("span_drift", "first_seen", "is_drift"), ("span_ended", "last_seen", "NOT is_open")):
        op.create_index(name, "span", [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_table(
        "document",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("deployment_id", _ID, sa.ForeignKey("deployment.id", ondelete="CASCADE"), nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("deployment_id", "run"),
    )
