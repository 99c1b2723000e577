"""Jobs that wait: what would help them."""
