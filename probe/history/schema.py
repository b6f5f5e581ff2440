"""The tables, as the newest migration leaves them. Times are milliseconds since 1970, days and minutes counted from then."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

NEWEST = "0004"
"""The migration that leaves the tables so, by its number."""
METADATA = MetaData()

_ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that is called INTEGER."""

DEPLOYMENT = Table(
    "deployment",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)
"""Whose rows these are: `deployment.name` of an estate."""

SUBJECT = Table(
    "subject",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("deployment_id", _ID, ForeignKey("deployment.id", ondelete="CASCADE"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("mailbox", Text, nullable=False),  # the account's address; empty: everybody's
    Column("topic", String(8), nullable=False),  # seen, judged
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("digest", BigInteger, nullable=False),  # of what was found last, noise apart
    Column("last_ms", Integer),  # what the last look took
    Column("samples", Text, nullable=False, server_default=""),  # "minute:milliseconds " of the looks that are not in `latency` yet
    UniqueConstraint("deployment_id", "subject", "mailbox", "topic"),
)
"""One row for each subject that was ever looked at: the row that a look which finds nothing new updates in place."""

for _name in (SUBJECT.c.subject, SUBJECT.c.mailbox):
    # Whoever asks for one writes its name in small or capital letters.
    Index(f"subject_by_{_name.name}", func.lower(_name))

FORM = Table(
    "form",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("body", Text, nullable=False),  # JSON: key; value or why; how it is known; words off the wire
)
"""What was found, each form once: ten thousand endpoints say mostly the same."""

SPAN = Table(
    "span",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("subject_id", _ID, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    Column("form_id", BigInteger, nullable=False),  # no foreign key: it would want an index, to be seldom used
    Column("previous_id", BigInteger),  # the interval that this one ended, which may have been dropped since
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger),  # NULL: when its subject was seen last
    Column("is_open", Boolean, nullable=False),
    Column("is_drift", Boolean, nullable=False),
    Index("span_of_subject", "subject_id", "is_open", "first_seen"),
    Index("span_drift", "first_seen", sqlite_where=text("is_drift"), postgresql_where=text("is_drift")),
    Index("span_ended", "last_seen", sqlite_where=text("NOT is_open"), postgresql_where=text("NOT is_open")),
)
"""An interval in which one key of a subject was found to be one thing."""

DOCUMENT = Table(
    "document",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("deployment_id", _ID, ForeignKey("deployment.id", ondelete="CASCADE"), nullable=False),
    Column("run", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # probe.run/2, compressed by zlib
    UniqueConstraint("deployment_id", "run"),
)
"""Whole runs that somebody asked for."""

TRANSCRIPT = Table(
    "transcript",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("subject_id", _ID, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("prober", String(64), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON lines as in probe.run/2, compressed by zlib
    Index("transcript_of_subject", "subject_id", "at"),
)
"""Conversations in which something changed, be it that they failed."""

LATENCY = Table(
    "latency",
    METADATA,
    Column("subject_id", _ID, ForeignKey("subject.id", ondelete="CASCADE"), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("looks", Integer, nullable=False),
    Column("minimum", Integer, nullable=False),
    Column("median", Integer, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("hours", Text),  # JSON: the same four of each hour; NULL once it is too old for that
    Column("samples", Text),  # as in `subject`, of the day that is not over
    sqlite_with_rowid=False,
)
"""Milliseconds of the looks of a day."""

HANDOVER = Table(
    "handover",
    METADATA,
    Column("deployment_id", _ID, ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),  # since when it is so
    Column("body", LargeBinary, nullable=False),  # JSON, compressed by zlib
    sqlite_with_rowid=False,
)
"""Which service watches, and what it leaves for the one that takes over: what it knows, and what it told. What the rows are, that service says."""

STEP = Table(
    "alembic_version",
    MetaData(),  # not ours: Alembic's own
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Which migration a database has come to."""
