"""Ports fulfilled in memory, for tests and the simulator; each passes the contract tests of its port."""
