"""Subjects are found by name, in small or capital letters, without reading all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes."""
    for column in ("subject", "mailbox"):
        op.create_index(f"subject_by_{column}", "subject", [sa.text(f"lower({column})")])
