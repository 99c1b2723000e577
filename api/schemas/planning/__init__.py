"""Training plans over several chip types: what is asked of the planner, and what it says."""
