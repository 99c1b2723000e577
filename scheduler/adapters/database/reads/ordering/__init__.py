"""Reading in which order jobs may run."""
