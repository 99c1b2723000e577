"""What would help a job that waits."""
