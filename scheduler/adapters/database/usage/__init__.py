"""Use over time on a database: writing sums, and reading them, accounts and history."""
