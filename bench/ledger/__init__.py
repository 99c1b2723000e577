"""A cluster of any size with what runs on it, jobs that come and go there, and what the ledger needs for them."""
