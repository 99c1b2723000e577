"""Arrays of jobs in words."""
