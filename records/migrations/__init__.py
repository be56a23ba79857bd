"""Alembic migrations of the record, carried in the package and run when a store opens."""
