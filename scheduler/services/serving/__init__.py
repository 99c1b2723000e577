"""Servers: how many replicas there are to be, and which version."""
