"""What processes on one database have of each other: who leads, who may try to, and that they belong together."""
