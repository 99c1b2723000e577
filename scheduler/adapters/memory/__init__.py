"""Ports fulfilled in memory, for tests and simulations; each passes the contract tests of its port."""
