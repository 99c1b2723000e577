"""A plan as a file: versioned, self-contained JSON with a published schema, written, read and checked."""
