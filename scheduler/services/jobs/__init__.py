"""What is done with many jobs at once, and with jobs that are there."""
