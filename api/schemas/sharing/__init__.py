"""Queues, quotas and shares as the API takes and shows them."""
