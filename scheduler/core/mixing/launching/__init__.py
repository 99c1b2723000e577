"""A plan as options of training programs that others wrote, as far as they can follow it."""
