"""Schemas of what jobs did: use over time, accounts and history; how fast they are, and how long layers take."""
