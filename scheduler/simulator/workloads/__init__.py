"""What is submitted: the arrivals of jobs, drawn from templates or read from a list."""
