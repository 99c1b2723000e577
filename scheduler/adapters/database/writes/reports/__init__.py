"""Writing what workers say of their attempt: rank 0's address, progress, heartbeats."""
