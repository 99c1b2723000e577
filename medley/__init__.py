"""What people install: the `medley` command and a small Python client of the REST API.

Lives here: talking to a Medley server over REST, and showing people what it said. Does not live here: any decision
about jobs. Nothing here imports the scheduler or the api; only `commands/processes.py` starts them, when called.
"""
