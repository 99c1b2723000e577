"""Servers: how many replicas there are."""
