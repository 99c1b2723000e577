"""How fast jobs are: what is known of it, and saying it."""
