"""One file per resource: parse, call a service or port, answer."""
