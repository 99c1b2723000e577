"""Rounds: who is to run on which chip type for how much of the time, and therefore in the next few minutes."""
