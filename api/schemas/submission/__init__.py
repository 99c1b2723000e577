"""Submissions: what must hold of several fields of a job together, and examples of jobs."""
