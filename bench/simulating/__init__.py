"""The simulator: how fast virtual time goes, and what it shows of the scheduler over weeks."""
