"""Queues, their quotas and shares as the API shows them."""
