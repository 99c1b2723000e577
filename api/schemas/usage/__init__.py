"""Schemas of use over time: series, accounts and history."""
