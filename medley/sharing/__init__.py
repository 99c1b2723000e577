"""Queues, what they are due and may have, and who holds what share."""
