"""The history of the database schema; `scheduler.adapters.database.migrate` runs it."""
