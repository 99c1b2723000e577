"""What the command's exit status says, for scripts to rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a run of the command ended."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    DENIED = 4
    CONFLICT = 5
    UNAVAILABLE = 6
    OUTPUT = 7
    TIMEOUT = 124
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "the job failed or was cancelled (submit, follow, wait), or a check found faults",
    ExitCode.USAGE: "wrong usage, or a job file that is not accepted",
    ExitCode.NOT_FOUND: "no such thing, or not one of your tenant's",
    ExitCode.DENIED: "not logged in, or not allowed",
    ExitCode.CONFLICT: "in conflict with what is there",
    ExitCode.UNAVAILABLE: "the server cannot be reached, or cannot answer now",
    ExitCode.OUTPUT: "what was to be printed could not be written",
    ExitCode.TIMEOUT: "the time given with --timeout is over",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}
"""One line for each code, as `medley --help` and docs/commands.md print them."""
