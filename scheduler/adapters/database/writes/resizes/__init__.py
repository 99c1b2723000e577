"""Writing the generations of attempts: other sizes of gangs that run."""
