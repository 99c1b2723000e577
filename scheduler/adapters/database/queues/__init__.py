"""Queues with their quotas in the database: reading and writing them, and what they let jobs do."""
