"""Clusters as a process sees them that drives none: what only the scheduler can read is asked of it over HTTP."""
