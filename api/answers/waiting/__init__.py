"""What a job that waits is told, and what if something were otherwise, as the API tells it."""
