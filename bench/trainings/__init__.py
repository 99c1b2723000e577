"""Benchmarks of trainings: what it costs them that they are kept."""
