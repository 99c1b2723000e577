"""What people ask for beside devices, and what would help a job that has no place."""
