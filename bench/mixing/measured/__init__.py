"""Runs that others measured and published, as the planner's values, and how far predictions are from them."""
