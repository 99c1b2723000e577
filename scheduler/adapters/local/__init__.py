"""A cluster of this machine: each worker is a process group under a supervisor that outlives the server.

Lives here: starting, stopping and watching workers, their folders and their output. Does not: whether they should run.

This file stays without imports: every supervisor loads it, and starts in milliseconds because of that.
"""
