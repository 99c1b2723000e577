"""Training plans in sentences: what a plan is, why it is the best, and why there is none."""
