"""What a script of one's own says to Medley, and asks of it; outside of Medley all of it does nothing.

from medley_runtime import job

latest = job.latest_checkpoint()                # a folder, or None: begin anew
for step in range(first, steps):
    ...
    job.report(step, loss=loss)                 # now and then: for people, and as a sign of life
    if job.should_checkpoint():                 # every rank asks, at the same place; all get the same answer
        with job.new_checkpoint(step) as folder:
            ...                                 # whole once the block is left without an error
    if job.should_stop():
        sys.exit(job.STOPPED)
"""

from medley_runtime.job.asking import (
    STOPPED,
    checkpoint_folder,
    is_in_medley,
    latest_checkpoint,
    new_checkpoint,
    report,
    saved,
    should_checkpoint,
    should_stop,
)

__all__ = [
    "STOPPED",
    "checkpoint_folder",
    "is_in_medley",
    "latest_checkpoint",
    "new_checkpoint",
    "report",
    "saved",
    "should_checkpoint",
    "should_stop",
]
