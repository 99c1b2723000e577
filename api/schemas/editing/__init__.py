"""What is asked of jobs that are there, and of many jobs at once."""
