"""What Alembic runs for a command; it is handed the connection, and all steps are one transaction of it."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
