"""Training plans for what is free now. Lives here: what is offered, asked and remembered. Does not: the search."""
