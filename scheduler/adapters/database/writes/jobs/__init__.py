"""Writes about jobs that are there."""
