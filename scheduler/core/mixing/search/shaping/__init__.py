"""Which pools in which order, with which degree and how many stages: costs, bounds, and the first ideas of a plan."""
