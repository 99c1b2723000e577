"""Figures of the work itself: what is counted as it happens, and what is read when somebody looks."""
