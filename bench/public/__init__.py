"""Tables that others published, from a folder beside the project."""
