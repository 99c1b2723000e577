"""Ports fulfilled in memory, for tests; each passes the contract tests of its port."""
