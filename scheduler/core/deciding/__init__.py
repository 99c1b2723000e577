"""Joins who and where: the scheduler's state, the decision cycle and its explanation."""
