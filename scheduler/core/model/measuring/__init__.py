"""What is measured of jobs."""
