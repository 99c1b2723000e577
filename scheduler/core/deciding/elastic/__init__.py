"""Elastic jobs: gangs that run get fewer workers where that is wished or others are to have them, and more for room."""
