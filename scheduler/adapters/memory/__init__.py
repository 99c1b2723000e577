"""Ports fulfilled in memory, for tests and the simulator. They ship with Medley and pass the contract tests of their port."""
