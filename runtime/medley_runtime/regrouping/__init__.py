"""Going on as another generation of the gang, with more or fewer workers: asking which, and meeting anew.

The server says so in its answer to a heartbeat of rank 0. `generation` finds a worker's place in it; the reference
training then meets anew within its process, and `commands` starts a command of one's own anew.
"""
