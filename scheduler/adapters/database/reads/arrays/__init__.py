"""Reading arrays of jobs as wholes."""
