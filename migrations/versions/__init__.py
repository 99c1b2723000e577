"""One file per step of the schema, oldest number first."""
