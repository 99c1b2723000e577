"""Jobs that wait: when they start, what would help them, and what if something were otherwise."""
