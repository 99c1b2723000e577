"""Crowded clusters, on which many wait."""
