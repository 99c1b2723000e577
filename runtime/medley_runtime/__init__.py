"""What runs in a worker of a Medley job: `python -m medley_runtime` with MEDLEY_LAUNCH naming the launch document.

Lives here: reading the launch document, finding the other workers of the gang, starting the user's command in its
place, the reference training or the reference server; heartbeats and checkpoints; and `medley_runtime.job`, by which
a script of one's own has both. `python -m medley_runtime run -- COMMAND` runs one with heartbeats of its own. Does not
live here: anything about scheduling; the API is all that is known of Medley.

A user's command replaces this process, so its exit code and signals are its own. Otherwise the process ends with:

    0    the training is done, or the reference server was asked to end
    1    the training failed: the device is missing, another worker went away, or the weights differ between ranks
    2    the launch document is missing, not understood or not valid
    3    the rendezvous failed: the workers of the gang did not find each other in time
    4    the API says that this attempt is closed
    5    there is no checkpoint that the reference server could serve
    6    the port that the reference server was given cannot be had
    7    the gang goes on with fewer workers, of which this one is none
    126  the user's command is there and cannot be executed
    127  the user's command was not found
    130  interrupted (SIGINT) while training
    143  asked to end (SIGTERM) while training; with a place for checkpoints, after saving one
"""
