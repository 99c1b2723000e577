"""One file per kind of write; each takes a run of like items and writes it with a few statements."""
