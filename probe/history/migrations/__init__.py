"""The schema, step by step. Alembic finds the steps in `versions`; each stays as it is once it is released."""
